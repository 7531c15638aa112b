// All tabs of a browser have one session, and a super-admin moves it into another tenant and back. A tab that was drawn for the
// one is not to write into the other: it is drawn anew as soon as it learns of the move.

const here = document.documentElement.dataset.place;

if (here) {
    const agree = () => {
        if (localStorage.getItem("place") === here) return;
        // Nothing of it may be saved any more: there is nothing to ask.
        addEventListener("beforeunload", (event) => event.stopImmediatePropagation(), { capture: true });
        location.reload();
    };
    localStorage.setItem("place", here);
    addEventListener("storage", agree);
    document.addEventListener("visibilitychange", agree);
    // A page that comes back from the history is as it was left.
    addEventListener("pageshow", (event) => event.persisted && agree());
}
