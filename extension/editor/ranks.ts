import type { Design, Domain } from "../../engine/design/model";

/**
 * How far down the page each domain stands, by path: an application's domain 0; a domain that serves others one below
 * the lowest of them; a kernel at least 1, and below all its processes, because it is more privileged than they are.
 * A circle of channels is cut where it is first met.
 */
export function domainRanks(design: Design): ReadonlyMap<string, number> {
  const domains = design.hosts.flatMap((host) => host.domains);
  const clients = clientsByDomain(domains);
  const ranks = new Map<string, number>();
  const visiting = new Set<string>();
  const rank = (path: string, lowest: number): number => {
    const known = ranks.get(path);
    if (known !== undefined) return known;
    if (visiting.has(path)) return 0;
    visiting.add(path);
    let value = lowest;
    for (const client of clients.get(path) ?? []) value = Math.max(value, rank(client.path, base(client)) + 1);
    visiting.delete(path);
    ranks.set(path, value);
    return value;
  };
  for (const domain of domains) rank(domain.path, base(domain));
  return ranks;
}

function base(domain: Domain): number {
  return domain.kind === "kernel" ? 1 : 0;
}

function clientsByDomain(domains: readonly Domain[]): ReadonlyMap<string, readonly Domain[]> {
  const owner = new Map(domains.flatMap((domain) => domain.components.map((component) => [component.path, domain.path] as const)));
  const clients = new Map<string, Domain[]>();
  for (const domain of domains) {
    const below = domain.components.flatMap(({ channel, below }) => [channel, below]).map((path) => (path === undefined ? undefined : owner.get(path)));
    for (const server of [...below, domain.kernel]) {
      if (server === undefined || server === domain.path) continue;
      const list = clients.get(server);
      if (list) list.push(domain);
      else clients.set(server, [domain]);
    }
  }
  return clients;
}
