import type { Fault } from "../../design/model";
import type { Kernel, Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import { NONE } from "../../trace/trace";
import type { DomainPlace, Machine } from "../machine";
import { Forger } from "./forger";
import { Watchdog } from "./watchdog";

/** What a fault strikes: a domain, and the component in it where the design names one. */
interface Target {
  readonly domain: DomainPlace;
  /** Its component in the trace: the domain's own where no other is named. */
  readonly component: number;
  readonly whole: boolean;
}

/** What can be done to a target. */
interface Strike {
  readonly machine: Machine;
  /** The fault as a component of the trace. */
  readonly cause: number;
  readonly target: Target;
  /** Picoseconds until the domain runs again; undefined: never. */
  readonly restart: number | undefined;
  /** What the domain does once it is malicious. */
  readonly attacker: Forger | undefined;
}

const strikes: Readonly<Record<string, (strike: Strike) => void>> = {
  crash: ({ machine, cause, target, restart }) => machine.lifecycle.kill(target.domain, cause, restart),
  // A planned restart asks nobody else: what is in the rings is lost as in a crash.
  restart: ({ machine, cause, target, restart }) => machine.lifecycle.restart(target.domain, cause, restart),
  hang: ({ machine: { cpus, lifecycle }, target: { domain, component, whole } }) => {
    if (!lifecycle.findsRunning(domain)) return;
    if (whole) cpus.freeze(domain.id);
    else cpus.hang(component, true);
  },
  forge: ({ machine: { lifecycle }, target: { domain }, attacker }) => {
    if (lifecycle.findsRunning(domain)) attacker?.strike();
  },
};

/** Makes a fault of the design strike at its time, whatever has become of its target until then. Kinds that are others' business (a switch, say) are left alone. */
export function addFault(machine: Machine, domains: readonly DomainPlace[], spec: Fault): void {
  const strike = strikes[spec.kind];
  const domain = domains.find(({ path }) => spec.target === path || spec.target.startsWith(`${path}/`));
  if (strike === undefined || domain === undefined) return;
  const whole = domain.path === spec.target;
  const { restart: given, takes, watchdog } = spec.options;
  const time = given ?? takes;
  const restart = typeof time === "number" ? time : undefined;
  const target = { domain, whole, component: whole ? machine.cpus.componentOf(domain.id) : machine.placed(spec.target).id };
  if (restart !== undefined) machine.lifecycle.willRestart(domain);
  if (typeof watchdog === "number") new Watchdog(machine, domain, watchdog, (cause) => machine.lifecycle.kill(domain, cause, restart));
  const attacker = spec.kind === "forge" ? machine.kernel.store.within(domain.path, () => new Forger(machine, domain, spec)) : undefined;
  const model = new FaultModel(machine.kernel, spec, target, machine.lifecycle.contextOf(domain.host), (cause) => {
    if (machine.lifecycle.findsHost(domain)) strike({ machine, cause, target, restart, attacker });
  });
  machine.kernel.schedule(spec.at, Priority.control, model.id, 0);
}

/** A fault of the design as an event: its row points at its line. */
class FaultModel implements Model {
  readonly id: number;
  private readonly fn;

  constructor(private readonly kernel: Kernel, spec: Fault, private readonly target: Target, private readonly context: number, private readonly strike: (cause: number) => void) {
    this.id = kernel.component(spec.path, "fault", target.domain.host, undefined, this);
    this.fn = kernel.functions({ planned: { name: spec.kind, kind: "fault" }, struck: { name: "struck", kind: "device" } });
  }

  fire(): void {
    const { kernel, fn, context, target } = this;
    kernel.mark(fn.planned, this.id, context, kernel.now, 0, NONE);
    if (!target.whole) kernel.mark(fn.struck, target.component, context, kernel.now, 0, NONE);
    this.strike(this.id);
  }
}
