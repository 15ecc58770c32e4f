/** Makes elements. Data becomes text nodes and attributes, never markup. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Return the element that the page must have.
 *
 * @template {Element} [E=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {E}
 */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (!element) {
    throw new Error(`The page has no ${selector}.`);
  }
  return /** @type {E} */ (/** @type {unknown} */ (element));
}

/**
 * Return a new element. `attributes` with a function as value are event listeners, `true` sets a
 * bare attribute, and `false`, `null` or `undefined` leaves it out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, /** @type {EventListener} */ (value));
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  fill(element, ...children);
  return element;
}

/**
 * Put `children` into `parent`, in the place of what was there.
 *
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(
    .../** @type {(Node | string)[]} */ (
      children.filter((child) => child !== null && child !== undefined && child !== false)
    ),
  );
}

/**
 * Return an icon of JupyterHub's own set, for the eye alone.
 *
 * @param {string} name
 */
export function icon(name) {
  return h("i", { class: `fa fa-${name}`, "aria-hidden": "true" });
}

/**
 * Return a badge.
 *
 * @param {string} text
 * @param {string} colour Bootstrap's classes of it
 * @param {string} [title]
 */
export function badge(text, colour, title) {
  return h("span", { class: `badge ${colour}`, title }, text);
}

let lastId = 0;

/** Return an id that no other element has, to tie labels to inputs. */
export function freshId() {
  lastId += 1;
  return `tb-${lastId}`;
}
