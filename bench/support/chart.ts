/** Draws the processor time of each contender as bars, in SVG. */

export type Bar = { label: string; ratio: number; isOurs: boolean };

const [WIDTH, LABEL_WIDTH, ROW, BAR, PADDING] = [720, 130, 26, 16, 16];
const COLORS = {
  light: { background: "#ffffff", text: "#1f2328", muted: "#59636e", bar: "#c4cdd6", ours: "#0b6e4f" },
  dark: { background: "#0d1117", text: "#e6edf3", muted: "#9198a1", bar: "#3d444d", ours: "#3fb68b" },
};

/**
 * @param groups a title and its bars; ratios are to the floor
 * @returns the text of an SVG file
 */
export function drawChart(title: string, groups: [string, Bar[]][], theme: keyof typeof COLORS): string {
  const color = COLORS[theme];
  const most = Math.max(...groups.flatMap(([, bars]) => bars.map(({ ratio }) => ratio)));
  const scale = (WIDTH - LABEL_WIDTH - PADDING * 2 - 50) / most;
  const parts: string[] = [];
  let y = PADDING + 20;
  parts.push(text(PADDING, y, title, color.text, "bold"));
  for (const [group, bars] of groups) {
    y += ROW + 6;
    parts.push(text(PADDING, y, group, color.muted));
    for (const { label, ratio, isOurs } of bars) {
      y += ROW;
      const [x, fill] = [PADDING + LABEL_WIDTH, isOurs ? color.ours : color.bar];
      parts.push(text(PADDING + 12, y, label, color.text, isOurs ? "bold" : "normal"));
      parts.push(
        `<rect x="${x}" y="${y - BAR + 3}" width="${(ratio * scale).toFixed(1)}" height="${BAR}" rx="3" fill="${fill}"/>`,
      );
      parts.push(text(x + ratio * scale + 8, y, ratio.toFixed(2), color.text));
    }
  }
  const height = y + PADDING + 8;
  const summary = groups.map(
    ([group, bars]) => `${group}: ${bars.map(({ label, ratio }) => `${label} ${ratio.toFixed(2)}`).join(", ")}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description" font-family="system-ui, sans-serif" font-size="14">
<title id="title">${title}</title>
<desc id="description">${summary.join("; ")}</desc>
<rect width="${WIDTH}" height="${height}" rx="6" fill="${color.background}"/>
${parts.join("\n")}
</svg>
`;
}

function text(x: number, y: number, content: string, fill: string, weight = "normal"): string {
  return `<text x="${x.toFixed(1)}" y="${y}" fill="${fill}" font-weight="${weight}">${content}</text>`;
}
