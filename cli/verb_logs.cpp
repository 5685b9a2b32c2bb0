#include <algorithm>
#include <charconv>
#include <mutex>
#include <thread>

#include "cli/agent_words.hpp"
#include "cli/moment.hpp"
#include "cli/session.hpp"
#include "engine/exec.hpp"
#include "swarm/labels.hpp"

namespace skep::cli {
namespace {

struct LogsFlags {
  std::string stack, service, tail = "100", since;
  bool follow = false, timestamps = false;
};

Result<std::vector<const swarm::LiveService*>> services_of(const swarm::LiveState& live,
                                                           const LogsFlags& flags) {
  // By directory too: its last part is what the stack is called, unless git says otherwise.
  auto stack = flags.stack;
  while (stack.ends_with('/')) stack.pop_back();
  stack = stack.substr(stack.rfind('/') + 1);
  std::vector<const swarm::LiveService*> found;
  std::vector<std::string> stacks, names;
  for (const auto& service : live.services) {
    const auto label = service.spec.labels.find(std::string(swarm::kStackLabel));
    if (label == service.spec.labels.end()) continue;
    stacks.push_back(label->second);
    if (label->second != stack) continue;
    names.push_back(service.spec.name);
    const bool meant = flags.service.empty() || service.spec.name == flags.service ||
                       service.spec.name == stack + "_" + flags.service;
    if (meant) found.push_back(&service);
  }
  if (!found.empty()) return found;
  const auto hint = [](const std::string& near) {
    return near.empty() ? "" : "; did you mean " + near + "?";
  };
  if (names.empty()) {
    return Error{ErrorKind::invalid_input,
                 "nothing of a stack " + stack + " runs" + hint(nearest(stack, stacks))};
  }
  return Error{ErrorKind::invalid_input,
               "stack " + stack + " has no service " + flags.service +
                   hint(nearest(stack + "_" + flags.service, names))};
}

/// Lines of several services, each whole.
class Printer {
 public:
  Printer(const std::vector<const swarm::LiveService*>& services, bool timestamps)
      : timestamps_(timestamps) {
    for (const auto* service : services) width_ = std::max(width_, service->spec.name.size());
  }
  void print(const std::string& service, const engine::LogLine& line) {
    std::string text = column(service, width_);
    if (timestamps_) text += line.timestamp + "  ";
    text += printable(line.text) + "\n";
    const std::lock_guard lock(mutex_);
    std::cout << text;
    std::cout.flush();
  }

 private:
  const bool timestamps_;
  std::size_t width_ = 0;
  std::mutex mutex_;
};

int show(engine::SocketEngine& engine,
         const std::vector<const swarm::LiveService*>& services,
         const engine::LogOptions& options,
         Printer& printer,
         std::stop_token stop) {
  using Line = std::pair<std::string, engine::LogLine>;
  std::vector<Line> lines;
  for (const auto* service : services) {
    auto read = engine::service_logs(engine, service->id, options, stop);
    if (!read) return fail(std::move(read).error().within(service->spec.name));
    for (auto& line : *read) lines.push_back({service->spec.name, std::move(line)});
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return a.second.timestamp < b.second.timestamp;
  });
  for (const auto& [service, line] : lines) printer.print(service, line);
  return kSuccess;
}

int follow(engine::SocketEngine& engine,
           const std::vector<const swarm::LiveService*>& services,
           const engine::LogOptions& options,
           Printer& printer,
           std::stop_token stop) {
  std::mutex mutex;
  int code = kSuccess;
  {
    std::vector<std::jthread> threads;
    for (const auto* service : services) {
      threads.emplace_back([&, service] {
        const auto done = engine::follow_service_logs(
            engine,
            service->id,
            options,
            [&](const engine::LogLine& line) { printer.print(service->spec.name, line); },
            stop);
        if (done || stop.stop_requested()) return;
        const std::lock_guard lock(mutex);
        code = fail(Error(done.error()).within(service->spec.name));
      });
    }
  }
  return code;
}

int logs(const Session& session, const LogsFlags& flags) {
  engine::LogOptions options;
  if (flags.tail != "all") {
    std::size_t tail = 0;
    const auto* end = flags.tail.data() + flags.tail.size();
    const auto [at, error] = std::from_chars(flags.tail.data(), end, tail);
    if (error != std::errc() || at != end)
      return fail({ErrorKind::invalid_input, "--tail must be a number of lines, or all"});
    options.tail = tail;
  }
  if (!flags.since.empty()) {
    auto since = unix_time_of(flags.since, session.clock.now());
    if (!since) return fail(std::move(since).error().within("--since"));
    options.since = *std::move(since);
  }
  auto engine = open_manager(session, false);
  if (!engine) return fail(engine.error());
  const auto live = (*engine)->observe(session.stop);
  if (!live) return fail(live.error());
  const auto services = services_of(*live, flags);
  if (!services) return fail(services.error());
  Printer printer(*services, flags.timestamps);
  return (flags.follow ? follow : show)(**engine, *services, options, printer, session.stop);
}

}  // namespace

void add_logs(Command& app, Session& session) {
  auto* verb = app.add_subcommand("logs", "What the tasks of a stack's services wrote");
  auto flags = std::make_shared<LogsFlags>();
  verb->add_option("STACK", flags->stack, "Stack, by name or directory")->required();
  verb->add_option("--service", flags->service, "Only this one of its services")->names("SERVICE");
  verb->add_flag("-f,--follow", flags->follow, "Go on with what comes, until Ctrl-C");
  verb->add_option("--tail", flags->tail, "Lines of each task, or all")->capture_default_str();
  verb->add_option(
      "--since",
      flags->since,
      "Only the last while, such as 10m, or from a time on, such as 2026-11-21T09:17:42Z");
  verb->add_flag("-t,--timestamps", flags->timestamps, "With the time of each line");
  verb->footer("Example:  skep logs MY-APP --service web -f");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return logs(session, *flags); }; });
}

}  // namespace skep::cli
