import { CloseReason } from "../../network/tcp/tcp";

/** Why something that a workload asked for has failed, as strerror says it where it is an error of a call. */
export const FAILURES = [
  "connection refused", "connection reset", "connection timed out", "connection aborted", "closed by the other end", "port unreachable",
  "address not available", "address in use", "invalid argument", "message too long", "no buffer space", "network is down",
  "no route to host", "host is down", "other error",
] as const;
export type Failure = (typeof FAILURES)[number];

/** A connection that was not closed by its client. */
export const closedFor: Readonly<Record<CloseReason, Failure>> = {
  [CloseReason.normal]: "closed by the other end", [CloseReason.reset]: "connection reset", [CloseReason.refused]: "connection refused",
  [CloseReason.timedOut]: "connection timed out", [CloseReason.aborted]: "connection aborted",
  [CloseReason.hostUnreachable]: "no route to host", [CloseReason.hostDown]: "host is down",
};

const byError: ReadonlyMap<string, Failure> = new Map([
  ["EADDRNOTAVAIL", "address not available"], ["EADDRINUSE", "address in use"], ["EINVAL", "invalid argument"], ["EMSGSIZE", "message too long"],
  ["ENOBUFS", "no buffer space"], ["ENETDOWN", "network is down"], ["EHOSTDOWN", "host is down"],
]);

/** @param error name of the error that a call of the sockets returned */
export function failureOf(error: string): Failure {
  return byError.get(error) ?? "other error";
}
