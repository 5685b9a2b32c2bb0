#include <algorithm>
#include <charconv>
#include <chrono>

#include <unistd.h>

#include "cli/agent_client.hpp"
#include "cli/agent_words.hpp"
#include "cli/masked_output.hpp"
#include "core/ascii.hpp"
#include "engine/http.hpp"
#include "repository/settings.hpp"

namespace skep::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kFollow = 1s;  ///< Between two looks of `events --follow`.

struct HistoryFlags {
  AgentFlags agent;
  std::string stack, count = "20", since;
  std::string output = "text";
  bool follow = false;
};

/// The query of the API, or what is wrong with the flags.
Result<std::string> query_of(const Session& session, const HistoryFlags& flags) {
  int count = 0;
  const auto* end = flags.count.data() + flags.count.size();
  const auto [at, error] = std::from_chars(flags.count.data(), end, count);
  if (error != std::errc() || at != end || count < 1 || count > 1'000)
    return Error{ErrorKind::invalid_input, "-n must be a number from 1 to 1000"};
  auto query = "n=" + std::to_string(count);
  if (!flags.stack.empty()) {
    // A stack that left git is not known to the agent any more; what is kept of it is.
    auto name = flags.stack;
    while (name.ends_with('/')) name.pop_back();
    query += "&stack=" + percent_encoded(name);
  }
  if (!flags.since.empty()) {
    const auto duration = repository::parse_duration(flags.since);
    if (!duration)
      return Error{ErrorKind::invalid_input, "--since must be a duration such as 1h or 30m"};
    const auto then = session.clock.now() - *duration;
    query +=
        "&since=" +
        std::to_string(std::chrono::floor<std::chrono::seconds>(then).time_since_epoch().count());
  }
  return query;
}

void warn_of_trouble(const nlohmann::json& answer) {
  const auto trouble = text_of(answer, "trouble");
  if (!trouble.empty()) std::cerr << "skep: history is not kept at present: " << trouble << "\n";
}

/// Nothing was found of a stack that was named: mistyped, most likely.
Result<void> check_known(const Session& session,
                         const HistoryFlags& flags,
                         const nlohmann::json& list) {
  if (flags.stack.empty() || !list.empty()) return {};
  const auto known = stack_path(session, flags.agent, flags.stack);
  return known ? Result<void>() : Result<void>(known.error());
}

std::string seconds_of(std::int64_t milliseconds) {
  const auto tenths = (milliseconds + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "s";
}

std::string verb_sign(const std::string& verb) {
  return verb == "create" ? "+" : verb == "remove" ? "-" : verb == "replace" ? "±" : "~";
}

void print_operation(const nlohmann::json& operation, std::size_t width) {
  const auto from = text_of(operation, "revision_from");
  const auto to = text_of(operation, "revision_to");
  const auto result = text_of(operation, "result");
  std::cout << time_of(operation, "started") << "  " << column(text_of(operation, "stack"), width)
            << column(text_of(operation, "trigger"), 8) << column(result, 9)
            << column(seconds_of(number_of(operation, "duration_ms")), 7)
            << (from == to ? short_commit(to) : short_commit(from) + " → " + short_commit(to));
  if (const auto actor = text_of(operation, "actor"); !actor.empty())
    std::cout << "  asked for by " << actor;
  std::cout << "\n";
  const std::string indent = "    ";
  const auto subject = text_of(operation, "subject");
  if (from != to && !subject.empty())
    std::cout << indent << "\"" << subject << "\" by " << text_of(operation, "author") << "\n";
  for (const auto& object : list_of(operation, "objects")) {
    std::cout << indent << verb_sign(text_of(object, "verb")) << " " << text_of(object, "kind")
              << " " << text_of(object, "name");
    std::string fields;
    for (const auto& field : list_of(object, "fields")) {
      if (field.is_string())
        fields += (fields.empty() ? ": " : ", ") + printable(field.get<std::string>());
    }
    std::cout << fields;
    if (const auto error = text_of(object, "error"); !error.empty())
      std::cout << "  failed: " << error;
    std::cout << "\n";
  }
  if (result != "success") {
    const auto phase = text_of(operation, "failed_phase");
    const auto message = text_of(operation, "message");
    if (!phase.empty() || !message.empty()) {
      std::cout << indent << (phase.empty() ? result : "failed in " + phase)
                << (message.empty() ? "" : ": " + message) << "\n";
    }
    if (const auto attempts = number_of(operation, "attempts"); attempts > 1) {
      std::cout << indent << attempts << " times, last at " << time_of(operation, "last_ended")
                << "\n";
    }
  }
}

int history(const Session& session, const HistoryFlags& flags) {
  const auto query = query_of(session, flags);
  if (!query) return fail(query.error());
  const auto answer = ask_json(session, flags.agent, "/api/v1/history?" + *query);
  if (!answer) return fail(answer.error());
  warn_of_trouble(*answer);
  const auto operations = list_of(*answer, "operations");
  if (const auto known = check_known(session, flags, operations); !known)
    return fail(known.error());
  if (flags.output == "json") {
    std::cout << answer->dump() << "\n";
    return kSuccess;
  }
  std::size_t width = 5;
  for (const auto& operation : operations)
    width = std::max(width, text_of(operation, "stack").size());
  if (operations.empty()) {
    std::cout << "nothing was done yet" << (flags.stack.empty() ? "" : " to " + flags.stack)
              << ", as far as is kept\n";
    return kSuccess;
  }
  std::cout << column("STARTED", 20) << column("STACK", width) << column("TRIGGER", 8)
            << column("RESULT", 9) << column("TOOK", 7) << "REVISION\n";
  for (const auto& operation : operations) print_operation(operation, width);
  return kSuccess;
}

void print_event(const nlohmann::json& event) {
  std::string line = time_of(event, "at");
  const auto stack = text_of(event, "stack");
  line += "  " + (stack.empty() ? "skep" : stack) + "  " + text_of(event, "kind");
  const auto before = text_of(event, "before");
  const auto value = text_of(event, "value");
  if (!value.empty()) line += " " + (before.empty() ? "" : before + " -> ") + value;
  if (const auto message = text_of(event, "message"); !message.empty()) line += ": " + message;
  if (const auto actor = text_of(event, "actor"); !actor.empty()) line += " (" + actor + ")";
  std::cout << line << "\n";
}

void print_events(const nlohmann::json& list, const HistoryFlags& flags, std::int64_t& last) {
  for (const auto& event : list) {
    if (flags.output == "json") {
      std::cout << event.dump() << "\n";
    } else {
      print_event(event);
    }
    last = std::max(last, number_of(event, "id"));
  }
  std::cout.flush();  // Whoever reads along must not wait for a full buffer.
}

int events(const Session& session, const HistoryFlags& flags) {
  const auto query = query_of(session, flags);
  if (!query) return fail(query.error());
  const auto answer = ask_json(session, flags.agent, "/api/v1/events?" + *query);
  if (!answer) return fail(answer.error());
  warn_of_trouble(*answer);
  auto list = list_of(*answer, "events");
  if (const auto known = check_known(session, flags, list); !known) return fail(known.error());
  // Where there is none yet, everything from the beginning of time is new.
  std::int64_t last = 1;
  print_events(list, flags, last);
  auto follow = flags;
  follow.since.clear();
  follow.count = "1000";
  bool lost = false;
  while (flags.follow && session.clock.sleep_for(kFollow, session.stop)) {
    if (nobody_reads(STDOUT_FILENO)) break;
    const auto base = query_of(session, follow);
    if (!base) return fail(base.error());
    const auto more = ask_json(
        session, follow.agent, "/api/v1/events?" + *base + "&after=" + std::to_string(last));
    if (session.stop.stop_requested()) break;
    if (!more) {  // It may be replaced by a newer one just now.
      if (!lost) (void)fail(Error(more.error()).within("the agent does not answer; waiting"));
      lost = true;
      continue;
    }
    lost = false;
    print_events(list_of(*more, "events"), flags, last);
  }
  return kSuccess;
}

}  // namespace

void add_history(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "history", "What was done to which stack, when, why, by which commit and by whom");
  auto flags = std::make_shared<HistoryFlags>();
  verb->add_option("STACK", flags->stack, "Only this one, also one that left the repository");
  verb->add_option("-n", flags->count, "How many, newest first")->capture_default_str();
  verb->add_option("--since", flags->since, "Only the last while, such as 24h");
  verb->add_option("-o,--output", flags->output, "text or json")
      ->one_of({"text", "json"})
      ->capture_default_str();
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep history MY-APP -n 5");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return history(session, *flags); }; });
}

void add_events(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "events", "What changed: sync, health, drift, what is held, suspended, asked for");
  auto flags = std::make_shared<HistoryFlags>();
  flags->count = "50";
  verb->add_option("STACK", flags->stack, "Only this one");
  verb->add_option("-n", flags->count, "How many of the last ones")->capture_default_str();
  verb->add_option("--since", flags->since, "Only the last while, such as 1h");
  verb->add_flag("-f,--follow", flags->follow, "Go on with what comes, until Ctrl-C");
  verb->add_option("-o,--output", flags->output, "text, or json: one object a line")
      ->one_of({"text", "json"})
      ->capture_default_str();
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep events MY-APP --since 1h --follow");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return events(session, *flags); }; });
}

}  // namespace skep::cli
