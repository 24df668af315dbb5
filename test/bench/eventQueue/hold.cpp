// The hold model on std::priority_queue: see competitors.ts, which builds and runs it.
// Usage: hold <increments file> <pending> <fired>; prints nanoseconds of CPU time per event fired, and the last instant as a check.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <queue>
#include <vector>

struct Event {
  double time;
  uint64_t order;  // priority above sequence
  uint32_t row;
};
struct Later {
  bool operator()(const Event& x, const Event& y) const { return x.time != y.time ? x.time > y.time : x.order > y.order; }
};
struct Payload {
  int32_t a, b, cause;
  uint16_t component, op;
  bool cancelled;
};

/** What the queue of the engine offers: an event's data beside its key, a handle to cancel by; cancelled events are skipped when they come up. */
class Queue {
 public:
  uint32_t schedule(double time, int priority, uint16_t component, uint16_t op, int32_t a, int32_t b, int32_t cause) {
    uint32_t row;
    if (free_.empty()) {
      row = events_.size();
      events_.emplace_back();
    } else {
      row = free_.back();
      free_.pop_back();
    }
    events_[row] = {a, b, cause, component, op, false};
    heap_.push({time, (uint64_t(priority) << 56) | sequence_++, row});
    return row;
  }
  void cancel(uint32_t row) { events_[row].cancelled = true; }
  Payload pop(double& time) {
    for (;;) {
      const Event event = heap_.top();
      heap_.pop();
      free_.push_back(event.row);
      if (!events_[event.row].cancelled) {
        time = event.time;
        return events_[event.row];
      }
    }
  }

 private:
  std::priority_queue<Event, std::vector<Event>, Later> heap_;
  std::vector<Payload> events_;
  std::vector<uint32_t> free_;
  uint64_t sequence_ = 0;
};

double cpuTime() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int, char** arguments) {
  constexpr uint32_t draws = 1 << 16;
  std::vector<double> increments(draws);
  std::FILE* file = std::fopen(arguments[1], "rb");
  if (file == nullptr || std::fread(increments.data(), sizeof(double), draws, file) != draws) return 1;
  std::fclose(file);
  const uint32_t pending = std::strtoul(arguments[2], nullptr, 10);
  const uint32_t fired = std::strtoul(arguments[3], nullptr, 10);

  Queue queue;
  std::vector<uint32_t> handles(pending);
  uint32_t draw = 0, state = 1;
  double now = 0;
  const auto schedule = [&](uint32_t i) { handles[i] = queue.schedule(now + increments[draw++ & (draws - 1)], 2, 1, 2, i, 4, 5); };
  for (uint32_t i = 0; i < pending; i++) schedule(i);
  const auto hold = [&](uint32_t count) {
    for (uint32_t n = 0; n < count; n++) {
      schedule(queue.pop(now).a);
      state = state * 1664525u + 1013904223u;
      if ((state >> 8) % 7 < 3) {
        const uint32_t i = (state >> 4) % pending;
        queue.cancel(handles[i]);
        schedule(i);
      }
    }
  };
  hold(pending + pending / 2);
  const double start = cpuTime();
  hold(fired);
  const double elapsed = cpuTime() - start;
  std::printf("%.3f %.17g\n", elapsed / fired, now);
}
