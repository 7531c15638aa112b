//! A logo is drawn anew from what was sent: a picture of a kind and size that is known, without anything else that a file
//! can carry (D4, ASVS 5.2).

use std::io::Cursor;

use anyhow::Context as _;
use axum::body::Bytes;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageResult, Limits,
    codecs::{jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder},
    error::{ImageFormatHint, LimitError, LimitErrorKind},
    imageops::FilterType,
};
use tokio::sync::Semaphore;

use crate::{
    base::errors::{AppError, FieldCode},
    tenants::branding::Branding,
};

/// The longer side of what is kept: twice what any page shows, also on a screen with small dots.
const KEPT_SIDE: u32 = 256;
/// What decoding a PNG may take: the picture itself and as much again, twice over. The other two kinds know no such bound:
/// there only the size of the picture, and the number of those drawn at a time, bound what they take.
const MEMORY: u64 = 32 << 20;
/// How many logos are drawn at a time, whoever sends them: more wait (ASVS 15.2.2).
static ROOM: Semaphore = Semaphore::const_new(2);

/// Reads a logo and draws it anew as PNG, or says what is wrong with it.
///
/// The kind is what its first bytes say, whatever the file is called. Neither text, places nor profiles of colour are kept,
/// nor what follows the picture: only its dots are.
pub async fn read(sent: Bytes) -> Result<Result<Vec<u8>, FieldCode>, AppError> {
    read_in(&ROOM, sent).await
}

async fn read_in(room: &'static Semaphore, sent: Bytes) -> Result<Result<Vec<u8>, FieldCode>, AppError> {
    let place = room.acquire().await.context("the room for drawing logos is never closed")?;
    let done = tokio::task::spawn_blocking(move || {
        // Whoever sent it may be gone; the memory is taken until the drawing is done.
        let _place = place;
        drawn_anew(&sent)
    });
    Ok(done.await.context("the drawing of a logo was interrupted")?)
}

fn drawn_anew(sent: &[u8]) -> Result<Vec<u8>, FieldCode> {
    if sent.is_empty() {
        return Err(FieldCode::Required);
    }
    if u32::try_from(sent.len()).unwrap_or(u32::MAX) > Branding::LOGO_BYTES {
        return Err(FieldCode::TooLong);
    }
    let picture = decoded(sent).map_err(|error| code_of(&error))?;
    let picture = if picture.width().max(picture.height()) > KEPT_SIDE {
        picture.resize(KEPT_SIDE, KEPT_SIDE, FilterType::Lanczos3)
    } else {
        picture
    };
    let mut drawn = Cursor::new(Vec::new());
    let dots = DynamicImage::ImageRgba8(picture.into_rgba8());
    dots.write_to(&mut drawn, ImageFormat::Png).map_err(|error| code_of(&error))?;
    Ok(drawn.into_inner())
}

fn decoded(sent: &[u8]) -> ImageResult<DynamicImage> {
    let limits = || {
        let mut limits = Limits::default();
        limits.max_image_width = Some(Branding::LOGO_SIDE);
        limits.max_image_height = Some(Branding::LOGO_SIDE);
        limits.max_alloc = Some(MEMORY);
        limits
    };
    let bytes = Cursor::new(sent);
    match image::guess_format(sent)? {
        ImageFormat::Png => {
            let decoder = PngDecoder::with_limits(bytes, limits())?;
            let moves = decoder.is_apng()?;
            still(decoder, moves, limits())
        }
        ImageFormat::Jpeg => still(JpegDecoder::new(bytes)?, false, limits()),
        ImageFormat::WebP if hides_a_large_frame(sent) || hides_long_metadata(sent) => {
            Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)))
        }
        ImageFormat::WebP => {
            let decoder = WebPDecoder::new(bytes)?;
            let moves = decoder.has_animation();
            still(decoder, moves, limits())
        }
        other => Err(of_another_kind(other)),
    }
}

/// Whether a WebP says in a frame of the lossy kind that it is larger than a logo may be. The size that the file says at its
/// beginning is compared with it too late: after the frame has been unpacked (RFC 6386 §9.1, RFC 9649 §2.5).
fn hides_a_large_frame(sent: &[u8]) -> bool {
    let is_large = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff) > Branding::LOGO_SIDE;
    sent.windows(18).any(|part| {
        part.starts_with(b"VP8 ")
            && part[11..14] == [0x9d, 0x01, 0x2a]
            && (is_large(part[14], part[15]) || is_large(part[16], part[17]))
    })
}

/// Whether a WebP says that its metadata are longer than what is left of the file. Room is made for as much as they say
/// before anything of them is read (RFC 9649 §2.7).
fn hides_long_metadata(sent: &[u8]) -> bool {
    sent.windows(8).enumerate().any(|(at, part)| {
        let length = u32::from_le_bytes([part[4], part[5], part[6], part[7]]);
        let left = sent.len() - at - part.len();
        part.starts_with(b"EXIF") && length > u32::try_from(left).unwrap_or(u32::MAX)
    })
}

/// Decodes a picture that does not move. The limits hold before the first dot is read.
fn still(mut decoder: impl ImageDecoder, moves: bool, limits: Limits) -> ImageResult<DynamicImage> {
    if moves {
        return Err(of_another_kind(ImageFormat::Gif));
    }
    decoder.set_limits(limits)?;
    // A camera says which way up its picture is: what says it does not stay, so it is turned.
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn of_another_kind(format: ImageFormat) -> ImageError {
    ImageError::Unsupported(ImageFormatHint::Exact(format).into())
}

/// What is wrong, as a field says it: too large, or no picture that is read.
fn code_of(error: &ImageError) -> FieldCode {
    match error {
        ImageError::Limits(_) => FieldCode::Range,
        ImageError::Unsupported(_)
        | ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::IoError(_) => FieldCode::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder as _, Rgba, RgbaImage, codecs::png::PngEncoder};

    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        let dot = |x: u32, y: u32| Rgba([(x % 256) as u8, (y % 256) as u8, 90, 255]);
        DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, dot))
    }

    fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("a file");
        bytes.into_inner()
    }

    fn side(drawn: &[u8]) -> (u32, u32) {
        let read = image::load_from_memory_with_format(drawn, ImageFormat::Png).expect("a PNG");
        (read.width(), read.height())
    }

    /// A chunk of a PNG, with its check sum.
    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut sum = u32::MAX;
        for byte in kind.iter().chain(data) {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
            }
        }
        let length = u32::try_from(data.len()).expect("short").to_be_bytes();
        [&length[..], kind, data, &(!sum).to_be_bytes()].concat()
    }

    /// The signature and the header of a PNG.
    fn head(width: u32, height: u32) -> Vec<u8> {
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
        [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header)].concat()
    }

    /// D4: the three kinds are read, and all become PNG, no larger than pages need.
    #[test]
    fn three_kinds_become_one() {
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let drawn = drawn_anew(&file(&picture(40, 20), format)).expect("a logo");
            assert_eq!(side(&drawn), (40, 20), "{format:?}");
        }
        let flat = DynamicImage::ImageRgb8(picture(1_024, 512).into_rgb8());
        let drawn = drawn_anew(&file(&flat, ImageFormat::Jpeg)).expect("a logo");
        assert_eq!(side(&drawn), (256, 128));
        assert!(drawn.len() <= 524_288, "{}", drawn.len());
    }

    /// D4, ASVS 5.2.2: what it is called does not matter, only what it is; a picture that is a program is none.
    #[test]
    fn other_kinds_are_refused() {
        let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
        let svg_in_xml = [&br#"<?xml version="1.0"?>"#[..], svg].concat();
        let cases: [&[u8]; 8] = [
            svg,
            &svg_in_xml,
            b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
            b"BM\x3a\x00\x00\x00",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"<!doctype html><p>logo.png",
            b"\x00\x00\x01\x00",
        ];
        for bytes in cases {
            assert_eq!(drawn_anew(bytes), Err(FieldCode::Malformed), "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(drawn_anew(b""), Err(FieldCode::Required));
        assert_eq!(drawn_anew(b"\x89PNG\r\n\x1a\nnothing"), Err(FieldCode::Malformed));
        let whole = file(&picture(40, 20), ImageFormat::Png);
        assert_eq!(drawn_anew(&whole[..whole.len() / 2]), Err(FieldCode::Malformed));
    }

    /// D4, CWE-409: a small file that says it is a huge picture is refused before anything is unpacked.
    #[test]
    fn a_bomb_is_not_unpacked() {
        for (width, height) in [(1_025, 1), (1, 1_025), (100_000, 100_000), (u32::MAX >> 1, u32::MAX >> 1)] {
            let bomb = [head(width, height), chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0x00]), chunk(b"IEND", b"")].concat();
            let refused = drawn_anew(&bomb).expect_err("too large");
            assert!(matches!(refused, FieldCode::Range | FieldCode::Malformed), "{width}x{height}: {refused:?}");
        }
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let wide = DynamicImage::ImageRgba8(RgbaImage::from_pixel(1_025, 8, Rgba([1, 2, 3, 255])));
            assert_eq!(drawn_anew(&file(&wide, format)), Err(FieldCode::Range), "{format:?}");
        }
        let wide = DynamicImage::new_rgb8(8, 1_025);
        assert_eq!(drawn_anew(&file(&wide, ImageFormat::Jpeg)), Err(FieldCode::Range));
    }

    /// A part of a WebP.
    fn part(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).expect("short").to_le_bytes();
        let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
        [&kind[..], &length, data, padding].concat()
    }

    /// The beginning of a WebP of 4 by 4 dots with these flags.
    fn extended(flags: u8) -> Vec<u8> {
        part(b"VP8X", &[flags, 0, 0, 0, 3, 0, 0, 3, 0, 0])
    }

    /// D4, CWE-409: a WebP that says it is small around a frame that says it is huge.
    #[test]
    fn a_frame_larger_than_its_file_says_is_not_unpacked() {
        let frame = part(b"VP8 ", &[0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0, 0, 0, 0]);
        let inside = [&b"WEBP"[..], &extended(0), &frame].concat();
        assert_eq!(drawn_anew(&part(b"RIFF", &inside)), Err(FieldCode::Range));
    }

    /// D4, CWE-789: metadata that say they are as long as four gigabytes, beside the picture or inside a frame, get no room.
    #[test]
    fn metadata_longer_than_the_file_are_not_read() {
        let whole = file(&picture(4, 4), ImageFormat::WebP);
        let long = [&b"EXIF"[..], &0xffff_fffe_u32.to_le_bytes()].concat();
        let framed = part(b"ANMF", &[&[0_u8; 16][..], &long[..]].concat());
        for metadata in [long, framed] {
            for flags in [0, 0b0000_1000] {
                let inside = [&b"WEBP"[..], &extended(flags), &whole[12..], &metadata].concat();
                assert_eq!(drawn_anew(&part(b"RIFF", &inside)), Err(FieldCode::Range), "{metadata:?}");
            }
        }
        let short = part(b"EXIF", b"II*\0");
        let inside = [&b"WEBP"[..], &extended(0b0000_1000), &whole[12..], &short].concat();
        assert!(drawn_anew(&part(b"RIFF", &inside)).is_ok(), "metadata that are there are no harm");
    }

    /// D4: a file that is too long is not even looked at.
    #[test]
    fn a_long_file_is_refused() {
        let mut long = file(&picture(40, 20), ImageFormat::Png);
        let most = usize::try_from(Branding::LOGO_BYTES).expect("a length");
        long.resize(most + 1, 0);
        assert_eq!(drawn_anew(&long), Err(FieldCode::TooLong));
        long.truncate(most);
        assert!(drawn_anew(&long).is_ok(), "what follows the picture falls away");
    }

    /// ASVS 15.2.2: a logo is drawn only in a place of the room, and gives it back, whatever came of it.
    #[tokio::test]
    async fn no_more_are_drawn_at_a_time_than_there_is_room_for() {
        static ONE: Semaphore = Semaphore::const_new(1);
        let good = Bytes::from(file(&picture(4, 4), ImageFormat::Png));
        for sent in [good.clone(), Bytes::from_static(b"no picture"), good.clone()] {
            let is_picture = sent == good;
            assert_eq!(read_in(&ONE, sent).await.expect("an answer").is_ok(), is_picture);
            assert_eq!(ONE.available_permits(), 1);
        }
        let held = ONE.acquire().await.expect("the place");
        let waiting = tokio::spawn(read_in(&ONE, good.clone()));
        // A room that is closed turns away whoever waits in front of it, and nobody who is inside.
        ONE.close();
        assert!(waiting.await.expect("no panic").is_err(), "it was drawn without a place");
        drop(held);
    }

    /// D4: what moves is refused, in both kinds that can.
    #[test]
    fn what_moves_is_refused() {
        let still = file(&picture(4, 4), ImageFormat::Png);
        let after_header = 8 + 25;
        let control = chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
        let moving = [&still[..after_header], &control, &still[after_header..]].concat();
        assert_eq!(drawn_anew(&moving), Err(FieldCode::Malformed));
        let frame = file(&picture(4, 4), ImageFormat::WebP);
        // RIFF, then VP8X with the flag of animation, ANIM, and one frame ANMF around the picture's own chunk.
        let animation = part(b"ANIM", &[0, 0, 0, 0, 0, 0]);
        let shown = [&[0, 0, 0, 0, 0, 0, 3, 0, 0, 3, 0, 0, 100, 0, 0, 0][..], &frame[12..]].concat();
        let inside = [&b"WEBP"[..], &extended(0b0000_0010), &animation, &part(b"ANMF", &shown)].concat();
        assert_eq!(drawn_anew(&part(b"RIFF", &inside)), Err(FieldCode::Malformed));
    }

    /// D4, ASVS 5.2.3 and 14.2.8: nothing survives but the picture: no text, no place, no profile, nothing behind the end.
    #[test]
    fn only_the_picture_survives() {
        let dots = picture(4, 4).into_rgba8();
        let mut sent = Vec::new();
        let mut encoder = PngEncoder::new(&mut sent);
        encoder.set_icc_profile(b"SECRET-profile".to_vec()).expect("a profile");
        encoder.set_exif_metadata(b"SECRET-exif".to_vec()).expect("metadata");
        encoder.write_image(&dots, 4, 4, ExtendedColorType::Rgba8).expect("a file");
        let after_header = 8 + 25;
        let text = chunk(b"tEXt", b"Comment\0SECRET-text");
        let mut sent = [&sent[..after_header], &text, &sent[after_header..]].concat();
        sent.extend_from_slice(b"PK\x03\x04SECRET-archive<script>alert(1)</script>");
        let drawn = drawn_anew(&sent).expect("a logo");
        assert!(!drawn.windows(6).any(|part| part == b"SECRET"));
        let kinds = chunks(&drawn);
        assert!(kinds.iter().all(|kind| ["IHDR", "IDAT", "IEND"].contains(&kind.as_str())), "{kinds:?}");
        assert!(drawn.ends_with(b"IEND\xae\x42\x60\x82"));
        let read = image::load_from_memory(&drawn).expect("a PNG").into_rgba8();
        assert_eq!(read, dots);
    }

    /// The kinds of the chunks of a PNG, in order.
    fn chunks(png: &[u8]) -> Vec<String> {
        let (mut at, mut kinds) = (8, Vec::new());
        while at + 8 <= png.len() {
            let length = u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
            kinds.push(String::from_utf8_lossy(&png[at + 4..at + 8]).into_owned());
            at += 12 + usize::try_from(length).expect("a length");
        }
        kinds
    }

    /// Whatever is sent, it is a picture or refused: nothing makes the reading panic.
    #[test]
    fn broken_files_are_refused_without_panic() {
        let good = [
            file(&picture(16, 16), ImageFormat::Png),
            file(&picture(16, 16), ImageFormat::WebP),
            file(&DynamicImage::ImageRgb8(picture(16, 16).into_rgb8()), ImageFormat::Jpeg),
        ];
        for bytes in good {
            for at in 0..bytes.len() {
                let mut broken = bytes.clone();
                broken[at] ^= 0xff;
                let _either = drawn_anew(&broken);
                let _refused = drawn_anew(&bytes[..at]);
            }
        }
    }
}
