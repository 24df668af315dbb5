/** A design while it is being read: parts beside the sections they came from, references not yet followed. */
import type { Component, Device, Domain, Fault, Host, Link, PciFunction, Range, RunSettings, Switch, SwitchPolicy, Workload } from "./model";
import { isName, NAME_RULE, plain } from "./section";
import type { Section, Source } from "./section";

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface ComponentDraft {
  readonly part: Mutable<Component>;
  readonly section: Section;
}

export interface DomainDraft {
  readonly part: Mutable<Domain>;
  readonly section: Section;
  readonly uplinks: Section | undefined;
  readonly components: readonly ComponentDraft[];
}

export interface DeviceDraft {
  readonly part: Mutable<Device>;
  readonly functions: readonly Mutable<PciFunction>[];
  readonly section: Section;
  readonly sriov: Section | undefined;
}

export interface HostDraft {
  readonly part: Host;
  readonly section: Section;
  readonly cpu: Section;
  readonly hypervisor: Section | undefined;
  readonly devices: readonly DeviceDraft[];
  readonly domains: readonly DomainDraft[];
}

export interface LinkDraft {
  readonly part: Mutable<Link>;
  readonly section: Section;
}

export interface WorkloadDraft {
  readonly part: Mutable<Workload>;
  readonly section: Section;
}

export interface FaultDraft {
  readonly part: Mutable<Fault>;
  readonly section: Section;
}

export interface SwitchDraft {
  readonly part: Mutable<Switch>;
  readonly section: Section;
}

export interface PolicyDraft {
  readonly part: Mutable<SwitchPolicy>;
  readonly section: Section;
}

export interface RunDraft {
  readonly part: RunSettings;
  readonly section: Section;
}

export interface DesignDraft {
  readonly hosts: readonly HostDraft[];
  readonly links: readonly LinkDraft[];
  readonly workloads: readonly WorkloadDraft[];
  readonly faults: readonly FaultDraft[];
  readonly switches: readonly SwitchDraft[];
  readonly policies: readonly PolicyDraft[];
  readonly run: RunDraft;
}

/** Hands out paths, each once. */
export class Paths {
  private readonly taken = new Set<string>(["workloads", "faults", "switches"]);

  /**
   * A path below `parent` for a name that the file spells. A bad name is reported and mended, one already taken is
   * reported with `remedy` and numbered, so that the part is still drawn.
   */
  claim({ problems }: Source, parent: string, name: string, range: Range, remedy: string): { path: string; id: string } {
    const mended = plain(name) || "-";
    if (!isName(name)) problems.error("bad-name", range, `“${name}” cannot be a name. ${NAME_RULE}`);
    const at = parent === "" ? "" : `${parent}/`;
    if (this.taken.has(at + mended)) {
      const where = parent === "" ? "in this design" : `in ${parent}`;
      problems.error("duplicate-name", range, `There is already a “${name}” ${where}. ${remedy}`);
    }
    return this.number(at, mended);
  }

  /** A path for a part that has no name of its own in the file. */
  number(at: string, name: string): { path: string; id: string } {
    let id = name;
    for (let n = 2; this.taken.has(at + id); n++) id = `${name}-${n}`;
    this.taken.add(at + id);
    return { path: at + id, id };
  }
}
