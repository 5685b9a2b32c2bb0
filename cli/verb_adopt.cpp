#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "cli/agent_words.hpp"
#include "cli/compose_of_swarm.hpp"
#include "cli/private_file.hpp"
#include "cli/repository_run.hpp"
#include "core/ascii.hpp"
#include "diff/render.hpp"
#include "engine/socket_engine.hpp"
#include "swarm/labels.hpp"

namespace skep::cli {
namespace {

struct AdoptFlags {
  std::vector<std::string> stacks, management;
  std::string into;
};

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
  std::error_code code;
  std::filesystem::create_directories(path.parent_path(), code);
  if (code) {
    return Error{ErrorKind::invalid_input,
                 "cannot make " + path.parent_path().string() + ": " + code.message()};
  }
  // Never over something that is there: it may hold what somebody wrote.
  return create_file(path.string(), text, 0644);
}

class Adoption {
 public:
  Adoption(const Session& session, const AdoptFlags& flags, engine::SocketEngine& engine)
      : session_(session), flags_(flags), engine_(engine) {}

  Result<void> write(const std::string& name,
                     const swarm::LiveStack& objects,
                     const swarm::LiveState& live) {
    const auto adopted = compose_of(name, objects, live);
    const bool management = std::find(flags_.management.begin(), flags_.management.end(), name) !=
                            flags_.management.end();
    const auto directory =
        std::filesystem::path(flags_.into) / (management ? "management" : "apps") / name;
    if (std::filesystem::exists(directory)) {
      return Error{ErrorKind::invalid_input,
                   directory.string() + " is there already; it is left as it is"};
    }
    for (const auto& [key, config] : adopted.configs) {
      auto data = engine_.config_data(config, session_.stop);
      if (!data) return std::move(data).error().within("config " + config);
      if (auto written = write_file(directory / "configs" / key, data->value_or("")); !written)
        return written;
    }
    if (auto written = write_file(directory / "docker-compose.yml", adopted.text); !written)
      return written;
    std::cout << "wrote " << directory.string() << "\n";
    for (const auto& remark : adopted.remarks) std::cout << "  ! " << remark << "\n";
    return {};
  }

 private:
  const Session& session_;
  const AdoptFlags& flags_;
  engine::SocketEngine& engine_;
};

/// The engine's list of networks leaves out swarm's own entries for those that each node has, such
/// as "host", which a service cites by id. Asked for one by one they have a name.
Result<void> name_networks(engine::SocketEngine& engine,
                           swarm::LiveState& live,
                           std::stop_token stop) {
  std::map<std::string, std::string> names;
  for (auto& service : live.services) {
    for (auto& attachment : service.spec.task_template.networks) {
      const auto id = attachment.target;
      if (live.find_network(id) != nullptr) continue;
      if (!names.contains(id)) {
        const engine::ApiCall call{.operation = "network_inspect",
                                   .path = "/networks/" + percent_encoded(id)};
        const auto answer = engine.api().ask(call, stop);
        if (!answer) return answer.error();
        if (answer->status >= 300 && answer->status != 404) return engine::api_error(call, *answer);
        const auto network = nlohmann::json::parse(answer->body, nullptr, false);
        const bool known = answer->status != 404 && text_of(network, "Id") == id;
        names[id] = known ? text_of(network, "Name") : "";
      }
      if (!names[id].empty()) attachment.target = names[id];
    }
  }
  return {};
}

/// What `skep plan` would say of what was written: the proof that it is the same.
int prove(const Session& session, const AdoptFlags& flags, const std::set<std::string>& written) {
  RepositoryFlags repository;
  repository.repo = flags.into;
  repository.placeholders = true;
  auto run = open_run(session, repository, {written.begin(), written.end()}, "default");
  if (!run) return fail(run.error());
  run->options.plan_only = true;
  ports::Observer nobody;
  reconciler::Reconciler reconciler(
      *run->engine, nobody, session.clock, *run->log, run->options, [] {});
  const auto turn = run_until_settled(
      reconciler, run->repository.desired, session, [](const reconciler::Turn&) {});
  if (!turn) return fail(turn.error());
  std::size_t equal = 0;
  for (const auto& stack : turn->stacks) {
    if (!written.contains(stack.name)) continue;
    if (stack.plan && stack.plan->empty() && !stack.plan->blocked()) {
      ++equal;
      continue;
    }
    if (stack.plan) std::cout << diff::to_text(*stack.plan, stack.path, {session.color});
    if (!stack.message.empty()) std::cout << "  ! " << stack.message << "\n";
  }
  if (equal == written.size()) {
    std::cout << "No changes: " << equal << " stack" << (equal == 1 ? " is" : "s are")
              << " as written. Look for passwords in the files before you commit them.\n";
    return kSuccess;
  }
  std::cout << equal << " of " << written.size()
            << " stacks are as written; what is shown above is what an agent would change.\n";
  return kChanges;
}

int adopt(const Session& session, const AdoptFlags& flags) {
  auto engine = open_manager(session, false);
  if (!engine) return fail(engine.error());
  auto live = (*engine)->observe(session.stop);
  if (!live) return fail(live.error());
  if (const auto named = name_networks(**engine, *live, session.stop); !named)
    return fail(named.error());
  const auto stacks = swarm::stacks_of(*live);
  std::vector<std::string> names;
  for (const auto& [name, objects] : stacks) {
    if (!objects.services.empty()) names.push_back(name);
  }
  for (const auto& wanted : flags.stacks) {
    if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
    const auto near = nearest(wanted, names);
    return fail({ErrorKind::invalid_input,
                 "nothing of a stack " + wanted + " runs" +
                     (near.empty() ? "" : "; did you mean " + near + "?")});
  }
  Adoption adoption(session, flags, **engine);
  std::set<std::string> written;
  bool refused = false;
  for (const auto& name : flags.stacks.empty() ? names : flags.stacks) {
    if (auto done = adoption.write(name, stacks.at(name), *live); !done) {
      refused = fail(done.error()) != kSuccess;
      continue;
    }
    written.insert(name);
  }
  std::size_t alone = 0;
  for (const auto& service : live->services)
    alone += service.spec.labels.contains(std::string(swarm::kStackLabel)) ? 0 : 1;
  if (alone > 0) std::cout << alone << " services belong to no stack; skep leaves them alone\n";
  if (written.empty()) {
    if (!refused) std::cout << "no stack runs\n";
    return refused ? kFailure : kSuccess;
  }
  const int proof = prove(session, flags, written);
  return refused ? kFailure : proof;
}

}  // namespace

void add_adopt(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "adopt",
      "Write a config repository from the stacks that run; exit 2 where a plan would still change "
      "something");
  auto flags = std::make_shared<AdoptFlags>();
  verb->add_option("STACK", flags->stacks, "Only these (default: all)");
  verb->add_option("--into", flags->into, "Directory of the repository")->required();
  verb->add_option(
          "--management",
          flags->management,
          "Stack that goes below management/ instead of apps/ (can be given several times)")
      ->one_at_a_time();
  verb->footer("Example:  skep adopt --into cluster-repo --management traefik");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return adopt(session, *flags); }; });
}

}  // namespace skep::cli
