/** Numbers and times as people read them. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * Return `bytes` with three digits at most: `0 B`, `1.5 GiB`, `312 MiB`.
 *
 * @param {number | null} bytes
 */
export function formatBytes(bytes) {
  if (bytes === null) {
    return "–";
  }
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 || value >= 99.5 ? value.toFixed(0) : value.toFixed(value >= 9.95 ? 0 : 1);
  return `${text} ${UNITS[unit]}`;
}

/**
 * Return how long `milliseconds` are, in the largest unit that fits: `3 h`.
 *
 * @param {number} milliseconds
 */
export function formatSpan(milliseconds) {
  const minutes = Math.floor(Math.max(0, milliseconds) / 60_000);
  if (minutes < 1) {
    return "0 min";
  }
  if (minutes < 120) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

/**
 * Return how long ago an ISO 8601 time was, or `never` where there is none.
 *
 * @param {string | null} iso
 * @param {number} now milliseconds since 1970
 */
export function formatAgo(iso, now) {
  if (iso === null) {
    return "never";
  }
  const past = now - Date.parse(iso);
  return past < 60_000 ? "just now" : `${formatSpan(past)} ago`;
}

/**
 * Return an ISO 8601 time in the reader's own zone and manner, for a tooltip.
 *
 * @param {string | null} iso
 */
export function formatTime(iso) {
  return iso === null ? "" : new Date(iso).toLocaleString();
}

/**
 * Return the clock time of an ISO 8601 time.
 *
 * @param {string} iso
 */
export function formatClock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/**
 * Return `1 person`, `3 people`.
 *
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function counted(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
