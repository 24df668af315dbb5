import type { Fault, LinkConditions } from "../../design/model";
import type { Kernel, Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import type { Link } from "../../network/link";
import { NONE } from "../../trace/trace";
import type { Machine } from "../machine";

const Op = { begin: 0, over: 1 } as const;

/** Conditions by the keys of a design. */
const keys: Readonly<Record<string, keyof LinkConditions>> = {
  loss: "loss", corrupt: "corrupt", duplicate: "duplicate", reorder: "reorder", "reorder-by": "reorderBy",
};

/** Makes a link do more to frames than its section says, from a time on, for a time. Faults of other kinds are left alone. */
export function addDegradation(machine: Machine, spec: Fault): void {
  const link = machine.links[machine.design.links.findIndex(({ path }) => path === spec.target)];
  if (spec.kind !== "degrade" || link === undefined) return;
  const model = new Degradation(machine.kernel, spec, link, spec.target.slice(0, spec.target.indexOf("/")));
  machine.kernel.schedule(spec.at, Priority.control, model.id, Op.begin);
}

/** Where two of one link overlap, the later one holds, and what ends first brings the link's own conditions back. */
class Degradation implements Model {
  readonly id: number;
  private readonly fn;
  private readonly conditions: Partial<LinkConditions>;

  constructor(private readonly kernel: Kernel, private readonly spec: Fault, private readonly link: Link, host: string) {
    this.id = kernel.component(spec.path, "fault", host, undefined, this);
    this.fn = kernel.functions({ degrade: { kind: "fault" }, "degrade: over": { kind: "fault" } });
    this.conditions = Object.fromEntries(Object.entries(keys).flatMap(([key, name]) => (typeof spec.options[key] === "number" ? [[name, spec.options[key]]] : [])));
  }

  fire(op: number): void {
    const { kernel, fn, link, spec } = this;
    kernel.mark(op === Op.begin ? fn.degrade : fn["degrade: over"], this.id, link.directions[0]!, kernel.now, 0, NONE);
    link.change(op === Op.begin ? this.conditions : {});
    const time = spec.options["for"];
    if (op === Op.begin && typeof time === "number") kernel.schedule(time, Priority.control, this.id, Op.over);
  }
}
