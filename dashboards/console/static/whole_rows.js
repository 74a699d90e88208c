// A list that ends with a whole row: half a line of an alarm is read for another one.

/** Return a function that lets `list` be as high as its whole rows need, and returns how many are below. */
export function wholeRows(list) {
  return () => {
    list.style.maxHeight = "";
    const room = list.clientHeight;
    const top = list.getBoundingClientRect().top - list.scrollTop;
    const ends = [...list.children].map((row) => row.getBoundingClientRect().bottom - top);
    const whole = ends.filter((end) => end <= room + 1);
    if (whole.length === ends.length || whole.length === 0) return 0;
    list.style.maxHeight = `${whole.at(-1)}px`;
    return ends.length - whole.length;
  };
}
