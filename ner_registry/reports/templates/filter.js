"use strict";
const form = document.querySelector("form.filter");
if (form) {
  const groups = [...document.querySelectorAll(".kind")];
  const apply = () => {
    const kinds = new Set([...form.querySelectorAll("[name=kind]:checked")].map((box) => box.value));
    const label = form.elements.label.value;
    let shown = 0;
    for (const group of groups) {
      let inside = 0;
      for (const card of group.querySelectorAll(".mistake")) {
        const labels = [card.dataset.gold, card.dataset.predicted];
        card.hidden = !kinds.has(group.dataset.kind) || (label !== "" && !labels.includes(label));
        inside += !card.hidden;
      }
      group.hidden = inside === 0;
      shown += inside;
    }
    form.elements.shown.value = `${shown} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}
