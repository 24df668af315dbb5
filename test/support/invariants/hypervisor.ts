import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import { VcpuState } from "../../../engine/scheduling/vcpus";
import { NO_VCPU } from "../../../engine/trace/trace";
import type { Invariant } from "./invariant";

const INTERRUPTS: ReadonlySet<string> = new Set(["apic_timer_interrupt", "event_check_interrupt", "do_IRQ"]);
const SWITCHES: ReadonlySet<string> = new Set(["context_switch", "resume vcpu"]);
const EXIT = "VM exit: external interrupt";
/** A pCPU asks itself to choose anew, in a hypercall: its guest has left by that. */
const RAISED = "cpumask_raise_softirq";

/** What the hypervisor does on a pCPU that a vCPU has. */
interface Spell {
  readonly vcpu: number;
  /** When what it did last ended. */
  until: number;
  /** Whether it has taken the pCPU from the guest by an exit, or the guest has not had it yet. */
  exited: boolean;
  /** Exits of the vCPU's domain before. */
  readonly exits: number;
}

/** The pCPUs of one host, as their rows tell. */
class Host {
  /** By pCPU's context. */
  private readonly spells = new Map<number, Spell>();
  /** By pCPU's context: the vCPU that had it at the last look, and did not halt. */
  private readonly guests = new Map<number, number>();
  private readonly numbers = new Map<number, number>();
  private spent = 0;
  private readonly cpus;

  constructor(private readonly engine: MachineEngine, private readonly host: MachineEngine["built"]["hypervisors"][number]) {
    this.cpus = engine.built.machine.cpus;
    for (const { id, kind, host: of, path } of engine.names.contexts) if (kind === "pcpu" && of === host.host) this.numbers.set(id, Number(/\d+$/.exec(path)![0]));
  }

  readonly row = (row: number): void => {
    const { trace, names } = this.engine;
    const context = trace.context(row);
    if (!this.numbers.has(context)) return;
    const { name } = names.functions[trace.fn(row)]!;
    const vcpu = trace.vcpu(row);
    const spell = this.spells.get(context);
    this.spent += trace.cost(row);
    if (INTERRUPTS.has(name)) {
      if (spell === undefined && vcpu !== NO_VCPU) this.begin(context, vcpu, trace.time(row), false);
    } else if (name === RAISED) {
      if (spell === undefined && vcpu !== NO_VCPU) this.begin(context, vcpu, trace.time(row), true);
    } else if (SWITCHES.has(name)) {
      this.guests.delete(context);
      if (vcpu !== NO_VCPU) this.begin(context, vcpu, trace.time(row), true);
    } else if (spell !== undefined) {
      this.goesOn(row, name, spell);
      if (name === "schedule" && vcpu === NO_VCPU) this.spells.delete(context);
    } else {
      assert.equal(vcpu, NO_VCPU, `${name} while a guest has the pCPU`);
      const guest = this.guests.get(context);
      if (guest !== undefined) assert.notEqual(this.cpus.vcpu.state[guest], VcpuState.runnable, "a guest loses its pCPU without an exit");
    }
    if (vcpu === NO_VCPU) this.guests.delete(context);
  };

  private begin(context: number, vcpu: number, until: number, exited: boolean): void {
    const { counts, domainOf } = this.cpus.vcpus;
    this.spells.set(context, { vcpu, until, exited, exits: counts.exits[domainOf[vcpu]!]! });
  }

  /** One thing after another, without a gap; first the exit. */
  private goesOn(row: number, name: string, spell: Spell): void {
    const { trace, built: { machine } } = this.engine;
    assert.equal(trace.begin(row), spell.until, `${name} begins when something else has not ended, or later`);
    spell.until = trace.time(row);
    // What stands at an instant is part of what it leads to.
    const { costs } = machine;
    const each = name === "csched_acct" ? trace.a(row) * costs.latency("csched_acct: active vCPU") + trace.b(row) * costs.latency("csched_acct: active domain") : 0;
    if (name === EXIT || trace.cost(row) > 0) assert.equal(trace.cost(row), costs.of(trace.fn(row), 0) + each);
    if (name !== EXIT) return assert.ok(spell.exited, `${name} before the exit`);
    spell.exited = true;
    const { counts, domainOf } = this.cpus.vcpus;
    assert.ok(counts.exits[domainOf[spell.vcpu]!]! > spell.exits, "an exit that does not count");
  }

  readonly step = (): void => {
    const { vcpu } = this.cpus;
    for (const [context, guest] of this.guests) if (vcpu.state[guest] === VcpuState.blocked) this.guests.delete(context);
    for (const [context, spell] of this.spells) {
      if (vcpu.state[spell.vcpu] !== VcpuState.running || vcpu.pcpu[spell.vcpu] !== this.numbers.get(context)) continue;
      assert.ok(spell.exited && spell.until === this.engine.time, "a guest runs while the hypervisor has its pCPU");
      this.spells.delete(context);
      this.guests.set(context, spell.vcpu);
    }
  };

  readonly sample = (): void => {
    const { hypervisor, cores } = this.host;
    const { inside } = hypervisor["pcpus"].pcpu;
    let overhead = 0;
    for (let p = 0; p < cores; p++) {
      if (inside[p] !== 0) return;
      overhead += hypervisor.overheadOf(p, this.engine.time);
    }
    assert.equal(overhead, this.spent, `${this.host.host}: what the hypervisor took, and its rows`);
  };
}

/** Rules of what the hypervisor takes from its guests. */
export const hypervisorInvariants: readonly Invariant[] = [
  {
    number: 91, says: "an interrupt of the hypervisor's scheduler takes the pCPU from the guest that has it by a VM exit, which is counted; the guest does nothing while that, and what the interrupt has raised, take their time; and all that is the hypervisor's",
    watch: (engine) => {
      const hosts = engine.built.hypervisors.map((host) => new Host(engine, host));
      return {
        row: (row) => { for (const host of hosts) host.row(row); },
        step: () => { for (const host of hosts) host.step(); },
        sample: () => { for (const host of hosts) host.sample(); },
      };
    },
  },
];
