/** A first design for an empty file: the smallest one that runs, in the sample's manner. */
export const STARTER_DESIGN = `exoscope: 1
name: A first design
profile: xeon-4114-82599

hosts:
  server:
    cpu: { cores: 4, numa: 1 }
    iommu: on
    devices:
      nic0: { model: intel-82599, mtu: 9000, sriov: { vfs: 2 } }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      netsrv:
        kind: vm
        components:
          - netserver
          - ixgbe: { bind: nic0.pf }
      web:
        kind: vm
        components:
          - http-server: { port: 80 }
          - libc
          - tcpip
          - vif: { channel: netsrv.netserver }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }

workloads:
  - http: { from: client, to: web, size: 8KiB, concurrency: 4, requests: 100 }

run: { until: 100ms, seed: 1 }
`;
