// The cases of the bench in ns-3: two nodes, one link, TCP between them; see peer.ts, which builds and runs it.
// Usage: transfer stream <MTU> <milliseconds>
//        transfer requests <MTU> <connections> <requests> <bytes of a request> <bytes of an answer>
// Prints seconds of CPU time in Simulator::Run, ns-3's own count of events, frames on the wire in both directions, and
// the bytes or answers that arrived.
//
// ns-3 is given the leanest machine that it has: point-to-point devices, IPv4 alone, no queueing discipline, no
// checksums, packets without contents.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <string>

#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

using namespace ns3;

namespace {

constexpr uint16_t port = 5001;
/** What one send hands over, as in the design's workload. */
constexpr uint32_t writeSize = 65536;
/** IPv4 and TCP headers, and the timestamps option: what a segment loses of the MTU. */
constexpr uint32_t headers = 20 + 20 + 12;

uint64_t frames = 0;
uint64_t arrived = 0;

void countFrame(Ptr<const Packet>) { ++frames; }

/** As the design's stacks: CUBIC, SACK, timestamps, window scaling, an ACK for every second segment, room for all that is on the way. */
void setTcp(uint32_t mtu) {
  Config::SetDefault("ns3::TcpL4Protocol::SocketType", TypeIdValue(TcpCubic::GetTypeId()));
  Config::SetDefault("ns3::TcpSocketBase::Sack", BooleanValue(true));
  Config::SetDefault("ns3::TcpSocketBase::Timestamp", BooleanValue(true));
  Config::SetDefault("ns3::TcpSocketBase::WindowScaling", BooleanValue(true));
  Config::SetDefault("ns3::TcpSocketBase::MinRto", TimeValue(MilliSeconds(200)));
  Config::SetDefault("ns3::TcpSocket::DelAckCount", UintegerValue(2));
  Config::SetDefault("ns3::TcpSocket::DelAckTimeout", TimeValue(MilliSeconds(40)));
  Config::SetDefault("ns3::TcpSocket::InitialCwnd", UintegerValue(10));
  Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(mtu - headers));
  Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(4194304));
  Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(262144));
  Config::SetDefault("ns3::DropTailQueue<Packet>::MaxSize", StringValue("10000p"));
}

/** netperf's TCP_STREAM: the send buffer is kept full. */
class Stream {
 public:
  Stream(Ptr<Node> client, Ptr<Node> server, Address to) {
    listener_ = Socket::CreateSocket(server, TcpSocketFactory::GetTypeId());
    listener_->Bind(InetSocketAddress(Ipv4Address::GetAny(), port));
    listener_->Listen();
    listener_->SetAcceptCallback(MakeNullCallback<bool, Ptr<Socket>, const Address&>(), MakeCallback(&Stream::accepted, this));
    socket_ = Socket::CreateSocket(client, TcpSocketFactory::GetTypeId());
    Simulator::ScheduleNow([this, to] {
      socket_->SetConnectCallback(MakeCallback(&Stream::fill, this), MakeNullCallback<void, Ptr<Socket>>());
      socket_->SetSendCallback(MakeCallback(&Stream::room, this));
      socket_->Bind();
      socket_->Connect(to);
    });
  }

 private:
  void accepted(Ptr<Socket> socket, const Address&) { socket->SetRecvCallback(MakeCallback(&Stream::read, this)); }

  void read(Ptr<Socket> socket) {
    while (Ptr<Packet> packet = socket->Recv()) {
      if (packet->GetSize() == 0) break;
      arrived += packet->GetSize();
    }
  }

  void room(Ptr<Socket> socket, uint32_t) { fill(socket); }

  void fill(Ptr<Socket> socket) {
    while (socket->GetTxAvailable() >= writeSize && socket->Send(Create<Packet>(writeSize)) > 0) {}
  }

  Ptr<Socket> listener_;
  Ptr<Socket> socket_;
};

/** A closed loop: a number of connections, each with one request under way. */
class Requests {
 public:
  Requests(Ptr<Node> client, Ptr<Node> server, Address to, uint32_t connections, uint32_t requests, uint32_t request, uint32_t answer)
    : requests_(requests), left_(requests), request_(request), answer_(answer) {
    listener_ = Socket::CreateSocket(server, TcpSocketFactory::GetTypeId());
    listener_->Bind(InetSocketAddress(Ipv4Address::GetAny(), port));
    listener_->Listen();
    listener_->SetAcceptCallback(MakeNullCallback<bool, Ptr<Socket>, const Address&>(), MakeCallback(&Requests::accepted, this));
    for (uint32_t i = 0; i < connections; ++i) {
      Simulator::ScheduleNow([this, client, to] {
        Ptr<Socket> socket = Socket::CreateSocket(client, TcpSocketFactory::GetTypeId());
        socket->SetConnectCallback(MakeCallback(&Requests::ask, this), MakeNullCallback<void, Ptr<Socket>>());
        socket->SetRecvCallback(MakeCallback(&Requests::answered, this));
        socket->Bind();
        socket->Connect(to);
      });
    }
  }

 private:
  void accepted(Ptr<Socket> socket, const Address&) { socket->SetRecvCallback(MakeCallback(&Requests::serve, this)); }

  void serve(Ptr<Socket> socket) {
    if (complete(socket, request_)) socket->Send(Create<Packet>(answer_));
  }

  void ask(Ptr<Socket> socket) {
    if (left_ == 0) return;
    --left_;
    socket->Send(Create<Packet>(request_));
  }

  void answered(Ptr<Socket> socket) {
    if (!complete(socket, answer_)) return;
    ++arrived;
    if (arrived == requests_) Simulator::Stop();
    else ask(socket);
  }

  /** Reads what is there. Returns whether a message of `size` bytes is complete with it. */
  bool complete(Ptr<Socket> socket, uint32_t size) {
    uint32_t& received = received_[PeekPointer(socket)];
    while (Ptr<Packet> packet = socket->Recv()) {
      if (packet->GetSize() == 0) break;
      received += packet->GetSize();
    }
    if (received < size) return false;
    received -= size;
    return true;
  }

  uint32_t requests_;
  uint32_t left_;
  uint32_t request_;
  uint32_t answer_;
  Ptr<Socket> listener_;
  std::map<Socket*, uint32_t> received_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 1;
  const std::string kind = argv[1];
  const auto mtu = static_cast<uint32_t>(std::atoi(argv[2]));
  setTcp(mtu);

  NodeContainer nodes;
  nodes.Create(2);
  PointToPointHelper link;
  link.SetDeviceAttribute("DataRate", StringValue("10Gbps"));
  link.SetDeviceAttribute("Mtu", UintegerValue(mtu));
  link.SetChannelAttribute("Delay", StringValue("2us"));
  NetDeviceContainer devices = link.Install(nodes);
  InternetStackHelper stack;
  stack.SetIpv6StackInstall(false);
  stack.Install(nodes);
  Ipv4AddressHelper addresses;
  addresses.SetBase("10.0.0.0", "255.255.255.0");
  Ipv4InterfaceContainer interfaces = addresses.Assign(devices);
  TrafficControlHelper().Uninstall(devices);
  for (uint32_t i = 0; i < 2; ++i) devices.Get(i)->TraceConnectWithoutContext("PhyTxEnd", MakeCallback(&countFrame));

  const Address to = InetSocketAddress(interfaces.GetAddress(1), port);
  const auto argument = [argv](int i) { return static_cast<uint32_t>(std::atoi(argv[i])); };
  std::unique_ptr<Stream> stream;
  std::unique_ptr<Requests> requests;
  if (kind == "stream") {
    stream = std::make_unique<Stream>(nodes.Get(0), nodes.Get(1), to);
    Simulator::Stop(MilliSeconds(argument(3)));
  } else if (argc == 7) {
    requests = std::make_unique<Requests>(nodes.Get(0), nodes.Get(1), to, argument(3), argument(4), argument(5), argument(6));
  } else {
    return 1;
  }

  const std::clock_t start = std::clock();
  Simulator::Run();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%.6f %llu %llu %llu\n", seconds, static_cast<unsigned long long>(Simulator::GetEventCount()),
        static_cast<unsigned long long>(frames), static_cast<unsigned long long>(arrived));
  Simulator::Destroy();
  return 0;
}
