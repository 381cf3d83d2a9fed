(() => {
  const sheet = document.getElementById("sheet");
  // From the top of the sheet, which has an edge above it.
  const zero = sheet.getBoundingClientRect().top;
  const spans = [];
  const add = (box, keeps) => {
    // Boxes that touch are rounded to the same pixel, so that there is a gap between them.
    if (box.height > 0) spans.push({ top: Math.max(0, Math.round(box.top - zero)), bottom: Math.round(box.bottom - zero), keeps });
  };
  // Rows, facts, paragraphs and points stay whole unless they are long; then their lines do.
  const low = box => box.height <= 260;
  const whole = element => {
    let found = null;
    for (let at = element; at && at !== sheet; at = at.parentElement) {
      if (at.matches("tr, dl > div, p, li") && low(at.getBoundingClientRect())) found = at;
    }
    return found;
  };
  const walk = document.createTreeWalker(sheet, NodeFilter.SHOW_TEXT);
  const added = new Set();
  while (walk.nextNode()) {
    if (!walk.currentNode.data.trim()) continue;
    const parent = walk.currentNode.parentElement;
    // A heading is whole, with the line above it, and what follows stays with it.
    const heading = parent.closest("h1, h2, h3, h4, caption");
    const block = heading ?? whole(parent);
    if (block) {
      if (!added.has(block)) add(block.getBoundingClientRect(), !!heading);
      added.add(block);
      continue;
    }
    const range = document.createRange();
    range.selectNodeContents(walk.currentNode);
    const keeps = !!parent.closest("dt, tbody th");
    for (const box of range.getClientRects()) add(box, keeps);
  }
  for (const one of sheet.querySelectorAll("svg, .end")) add(one.getBoundingClientRect(), false);
  const pixels = sign => {
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    pen.font = "40px sans-serif";
    pen.fillText(sign, 10, 50);
    return canvas.toDataURL();
  };
  return {
    height: Math.ceil(sheet.getBoundingClientRect().height),
    has_chinese: pixels("国") !== pixels("语"),
    spans,
  };
})()
