import type { Scope, Variable } from "../../inspect";
import type { Store } from "../../kernel/state";
import type { PacketLog } from "../packets";
import type { TcpEnv, TcpOptions, TcpTimer } from "./api";

export { CloseReason, NO_CONNECTION, TcpTimer, linuxTcp, netbsdTcp, type TcpEnv, type TcpOptions } from "./api";

export declare class TcpStack {
  /** @param name the component's path: names the tables */
  constructor(store: Store, packets: PacketLog, options: TcpOptions, env: TcpEnv, name: string);
  listen(ip: number, port: number, backlog: number): void;
  unlisten(ip: number, port: number): void;
  accept(ip: number, port: number): number;
  connect(localIp: number, localPort: number, remoteIp: number, remotePort: number): number;
  send(conn: number, bytes: number): number;
  available(conn: number): number;
  receive(conn: number, max: number): number;
  atEof(conn: number): boolean;
  close(conn: number): void;
  abort(conn: number): void;
  input(packet: number): void;
  outputReady(conn: number): boolean;
  nextOutputLength(conn: number): number;
  output(conn: number): number;
  nextReset(): number;
  timeout(conn: number, timer: TcpTimer): void;
  sendStream(conn: number): number;
  receiveStream(conn: number): number;
  sendSpace(conn: number): number;
  stateName(conn: number): string;
  describe(conn: number): Variable[];
  describeAll(): Scope;
}
