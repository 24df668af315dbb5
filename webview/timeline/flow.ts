interface Point {
  readonly x: number;
  readonly y: number;
}

/** An arrow between two events, in device pixels; dashed for what was waited for, so that the two differ without colour. */
export function drawFlow(context: CanvasRenderingContext2D, from: Point | undefined, to: Point, color: string, dash: readonly number[], ratio: number): void {
  if (!from || (from.y === to.y && Math.abs(from.x - to.x) < 4 * ratio)) return;
  const bend = Math.max(12 * ratio, Math.min(60 * ratio, Math.abs(to.x - from.x) / 2));
  context.save();
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 1.5 * ratio;
  context.setLineDash(dash.map((d) => d * ratio));
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.bezierCurveTo(from.x + bend, from.y, to.x - bend, to.y, to.x - 4 * ratio, to.y);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(to.x, to.y);
  context.lineTo(to.x - 6 * ratio, to.y - 3.5 * ratio);
  context.lineTo(to.x - 6 * ratio, to.y + 3.5 * ratio);
  context.fill();
  context.restore();
}
