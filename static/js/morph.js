// Makes one tree like another in place: what is the same stays, with its focus, its tip and its scroll.
// Nodes are the same when their tag and their id are; children are matched by id first, then in their order.
export function morph(old, wanted) {
  if (old.isEqualNode(wanted)) return;
  if (!same(old, wanted)) {
    old.replaceWith(wanted);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
    return;
  }
  attributes(old, wanted);
  children(old, wanted);
}

function same(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");
}

function attributes(old, wanted) {
  const kept = old.dataset.keep?.split(" ") ?? [];
  for (const { name } of [...old.attributes]) {
    if (!wanted.hasAttribute(name) && !kept.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (old.getAttribute(name) !== value && !kept.includes(name)) old.setAttribute(name, value);
  }
  if (old.nodeName === "PROGRESS" && wanted.hasAttribute("value")) old.value = wanted.value;
}

function children(old, wanted) {
  const byId = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const next of [...wanted.childNodes]) {
    const known = next.id ? byId.get(next.id) : null;
    if (known && known !== place) old.insertBefore(known, place);
    const found = known ?? place;
    if (found && same(found, next)) {
      place = found.nextSibling;
      morph(found, next);
    } else {
      old.insertBefore(next, place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}
