// The chart of mails a day. Its figures are those of the table below it, which folds away then.
"use strict";
(() => {
  const figure = document.querySelector("figure[data-chart]");
  const table = document.querySelector("table.days");
  if (!figure || !table || !window.uPlot) return;

  const rows = [...table.tBodies[0].rows];
  const words = rows.map((row) => row.cells[0].textContent);
  const sent = rows.map((row) => Number(row.dataset.sent));
  const ahead = rows.map((row) => Number(row.dataset.ahead));
  const both = sent.map((many, day) => many + ahead[day]); // only today has both: one on the other
  const place = figure.querySelector("div");
  const told = figure.querySelector("output");
  let chart = null;

  const colour = (name) => getComputedStyle(figure).getPropertyValue(name).trim();

  function tell(day) {
    if (day === null || day === undefined) {
      told.textContent = "";
      return;
    }
    const said = [];
    if (rows[day].cells[1].textContent) said.push(`${rows[day].cells[1].textContent} sent`);
    if (rows[day].cells[2].textContent) said.push(`${rows[day].cells[2].textContent} in the plan`);
    told.textContent = `${words[day]}: ${said.join(", ")}`;
  }

  function draw() {
    if (chart) chart.destroy();
    const bars = uPlot.paths.bars({ size: [0.75, 28] });
    const axis = { stroke: colour("--quiet"), font: "12px system-ui, sans-serif" };
    const line = { stroke: colour("--line"), width: 1 };
    chart = new uPlot(
      {
        width: place.clientWidth,
        height: 200,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: false, range: (_, least, most) => [least - 0.6, most + 0.6] },
          y: { range: (_, __, most) => [0, Math.max(most, 4)] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            ticks: line,
            space: 80,
            incrs: [1, 2, 5, 7, 10, 14, 21, 30],
            values: (_, days) => days.map((day) => words[day] || ""),
          },
          {
            ...axis,
            grid: line,
            ticks: { show: false },
            size: 48,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000],
          },
        ],
        series: [
          {},
          { label: "in the plan", paths: bars, points: { show: false }, fill: colour("--ahead") },
          { label: "sent", paths: bars, points: { show: false }, fill: colour("--link") },
        ],
        hooks: { setCursor: [(self) => tell(self.cursor.idx)] },
      },
      [rows.map((_, day) => day), both, sent],
      place,
    );
  }

  figure.hidden = false;
  table.closest("details").open = false;
  draw();
  new ResizeObserver(() => {
    if (chart.width !== place.clientWidth) draw();
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
