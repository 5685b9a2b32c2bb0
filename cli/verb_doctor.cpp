#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <set>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/agent_client.hpp"
#include "cli/agent_words.hpp"
#include "repository/settings.hpp"
#include "server/status_json.hpp"
#include "yaml/parse.hpp"

namespace skep::cli {
namespace {

using namespace std::chrono_literals;

struct DoctorFlags {
  AgentFlags agent;
  RepositoryFlags repository;
  std::string output = "text";
};

struct Diagnosis {
  enum class State { good, warning, wrong };
  State state = State::good;
  std::string about, text;
  std::string remedy = {};
};

std::string_view word_of(Diagnosis::State state) {
  return state == Diagnosis::State::good      ? "ok"
         : state == Diagnosis::State::warning ? "warn"
                                              : "wrong";
}

/// Looks at one thing after the other; what the first ones find decides what can be asked next.
class Doctor {
 public:
  Doctor(const Session& session, const DoctorFlags& flags) : session_(session), flags_(flags) {}

  std::vector<Diagnosis> examine() {
    if (look_at_engine()) {
      look_at_swarm();
      look_at_clock();
    }
    look_at_git();  // Which says whether registries matter.
    look_at_registries();
    look_at_state_directory();
    look_at_agent();
    return std::move(findings_);
  }

 private:
  void good(std::string about, std::string text) {
    findings_.push_back({Diagnosis::State::good, std::move(about), std::move(text)});
  }
  void warn(std::string about, std::string text, std::string remedy) {
    findings_.push_back(
        {Diagnosis::State::warning, std::move(about), std::move(text), std::move(remedy)});
  }
  void wrong(std::string about, std::string text, std::string remedy) {
    findings_.push_back(
        {Diagnosis::State::wrong, std::move(about), std::move(text), std::move(remedy)});
  }

  bool look_at_engine() {
    auto opened = open_engine(session_, true);
    if (!opened) {
      wrong("engine", to_string(opened.error()), "name the engine with -H, -c or DOCKER_HOST");
      return false;
    }
    engine_ = *std::move(opened);
    auto info = engine_->info(session_.stop);
    if (!info) {
      const auto& endpoint = engine_->api().options().endpoint;
      const bool denied = !endpoint.socket.empty() &&
                          ::access(endpoint.socket.c_str(), F_OK) == 0 &&
                          ::access(endpoint.socket.c_str(), R_OK | W_OK) != 0;
      wrong("engine",
            to_string(info.error()),
            denied ? "this user may not use " + endpoint.socket +
                         "; run as root or as a member of its group (`usermod -aG docker USER`)"
                   : "start it (`systemctl start docker`), or name another one with -H, -c or "
                     "DOCKER_HOST");
      return false;
    }
    info_ = *std::move(info);
    good("engine", info_.engine_version + " at " + engine_->api().options().endpoint.text());
    look_at_version();
    return true;
  }

  void look_at_version() {
    int major = 0, minor = 0;
    const bool read = std::sscanf(info_.api_version.c_str(), "%d.%d", &major, &minor) == 2;
    if (read && (major > 1 || minor >= 41)) {
      good("api", "version " + info_.api_version);
    } else {
      wrong("api",
            "version " + info_.api_version + " is older than 1.41",
            "update the engine to 20.10 or newer");
    }
  }

  void look_at_swarm() {
    if (!info_.swarm_active) {
      wrong("swarm",
            "this node is in no swarm",
            "`docker swarm init`, or point -H at a manager of a swarm");
      return;
    }
    if (!info_.manager) {
      wrong("swarm",
            "this node is a worker, which knows nothing of the swarm",
            "run skep on a manager (`docker node ls` there lists them), or `docker node promote`");
      return;
    }
    auto live = engine_->observe(session_.stop);
    if (!live) {
      wrong("swarm",
            to_string(live.error()),
            "without a majority of managers a swarm cannot be read: bring them back, or "
            "`docker swarm init --force-new-cluster`");
      return;
    }
    live_ = *std::move(live);
    std::size_t ready = 0, managers = 0;
    for (const auto& node : live_->nodes) {
      ready += node.state == "ready" ? 1 : 0;
      managers += node.role == "manager" ? 1 : 0;
      if (node.state != "ready") {
        warn("node",
             node.hostname + " is " + node.state,
             "look at its engine; `docker node rm` if it does not come back");
      }
    }
    good("swarm",
         "manager, " + std::to_string(ready) + " of " + std::to_string(live_->nodes.size()) +
             " nodes ready, " + std::to_string(live_->services.size()) + " services");
    if (managers == 2) {
      warn("swarm",
           "two managers: when one is gone the other cannot do anything",
           "have one, three or five");
    }
  }

  void look_at_clock() {
    const auto before = session_.clock.now();
    const auto body = engine_->api().call({.operation = "info", .path = "/info"}, session_.stop);
    const auto after = session_.clock.now();
    if (!body) return;
    const auto text =
        text_of(nlohmann::json::parse(*body, nullptr, false), "SystemTime").substr(0, 19);
    std::tm parts{};
    if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return;
    const auto theirs = std::chrono::system_clock::from_time_t(::timegm(&parts));
    const auto ours = before + (after - before) / 2;
    const auto apart = std::chrono::duration_cast<std::chrono::seconds>(
        theirs > ours ? theirs - ours : ours - theirs);
    if (apart > 5s) {
      warn("clock",
           "the engine's clock and this one's are " + std::to_string(apart.count()) + " s apart",
           "have both follow a time server (`timedatectl set-ntp true`); certificates, webhooks "
           "and deployment windows depend on it");
    } else {
      good("clock", "as the engine's");
    }
  }

  /// One image of each registry that the swarm's services come from.
  void look_at_registries() {
    if (!live_) return;
    if (never_asked_) {
      good("registry", "not looked at: skep.yaml of the repository says resolve_image: never");
      return;
    }
    constexpr std::size_t kMost = 10;
    std::map<std::string, std::string> images;
    for (const auto& service : live_->services) {
      auto image = service.spec.task_template.container.image;
      image = image.substr(0, image.find('@'));
      const auto slash = image.find('/');
      const auto first = image.substr(0, slash);
      const bool host = slash != std::string::npos &&
                        (first.find_first_of(".:") != std::string::npos || first == "localhost");
      images.emplace(host ? first : "docker.io", image);
    }
    for (const auto& [registry, image] : images) {
      if (asked_.size() >= kMost || session_.stop.stop_requested()) return;
      asked_.insert(registry);
      const auto found = engine_->resolve_image(image, session_.stop);
      if (found) {
        good("registry", registry + " knows " + image);
      } else if (found.error().kind == ErrorKind::unauthorized) {
        wrong("registry",
              registry + " does not let us in: " + to_string(found.error()),
              "`docker login " + registry +
                  "` for the user that runs skep, or mount its "
                  "config.json and name the directory by DOCKER_CONFIG");
      } else {
        warn("registry",
             registry + " did not tell about " + image + ": " + to_string(found.error()),
             "images are not pinned while it is away; look at its name, network and certificate");
      }
    }
  }

  void look_at_git() {
    const auto& repo = flags_.repository.repo;
    if (repo.empty()) {
      good("git", "not looked at; --repo URL does");
      return;
    }
    const auto log = make_logger(session_, false);
    auto source = open_source(session_, flags_.repository, *log);
    if (!source) {
      wrong("git", to_string(source.error()), "see `skep agent --help`, heading Repository");
      return;
    }
    const auto snapshot = (*source)->fetch(session_.stop);
    if (snapshot) {
      const auto& revision = (*snapshot)->revision();
      good("git",
           (*source)->describe() + (revision.commit.empty()
                                        ? " can be read; not all that lies there is committed"
                                        : " is at " + revision.abbreviated()));
      look_at_settings(**snapshot);
      return;
    }
    const auto& error = snapshot.error();
    wrong("git",
          to_string(error),
          error.kind == ErrorKind::unauthorized
              ? "look at the deploy key or token, and at the pinned host key (--known-hosts, "
                "--host-key)"
              : "look at the address, at --ref, and whether this machine reaches the host");
  }

  /// Mistakes in them are what `skep validate` is for.
  void look_at_settings(const ports::Snapshot& snapshot) {
    const auto root = configuration_root(flags_.repository);
    const auto file = root ? root->join("./skep.yaml") : root;
    if (!file) return;
    const auto text = snapshot.read(*file);
    if (!text || !*text) return;
    const auto node = yaml::parse((*text)->text, file->text());
    if (!node) return;
    Findings ignored;
    never_asked_ = repository::read_cluster_settings(*node, ignored).defaults.resolve_image ==
                   diff::ResolveImage::never;
  }

  void look_at_state_directory() {
    const auto directory = agent_state_directory(session_, flags_.repository);
    std::error_code code;
    std::filesystem::create_directories(directory, code);
    if (code || ::access(directory.c_str(), W_OK | X_OK) != 0) {
      wrong("state",
            directory + " cannot be written",
            "make it writable for this user, or name another one with --state-dir");
      return;
    }
    const auto space = std::filesystem::space(directory, code);
    constexpr std::uintmax_t kLittle = 200U << 20U;
    if (!code && space.available < kLittle) {
      warn("state",
           directory + " has only " + std::to_string(space.available >> 20U) + " MB left",
           "the mirror of the repository and the history live there; make room");
      return;
    }
    good("state", directory + " can be written");
  }

  void look_at_agent() {
    const auto answer = ask_agent(session_, flags_.agent, "GET", "/api/v1/status");
    if (!answer) {
      warn("agent",
           "none was found here",
           "`skep agent` starts one, README.md shows how as a service of the swarm; with "
           "--server the one of another machine is asked");
      return;
    }
    const auto status = server::parse_status(answer->body);
    if (answer->status != 200 || !status) {
      wrong("agent",
            "it answered with status " + std::to_string(answer->status),
            answer->status == 401 || answer->status == 403
                ? "name the file of a token that it knows with --token-file"
                : "see its log");
      return;
    }
    if (!status->fetch_error.empty())
      wrong(
          "agent", "it cannot read git: " + status->fetch_error, "`skep status` tells since when");
    if (!status->docker_up)
      wrong("agent", "it cannot read the swarm: " + status->docker_error, "see its log");
    if (status->version != SKEP_VERSION) {
      warn("agent",
           "it is version " + status->version + ", this is " SKEP_VERSION,
           "use the same of both");
    }
    const auto bad = std::count_if(
        status->stacks.begin(), status->stacks.end(), [](const ports::StackStatus& stack) {
          return stack.health == ports::Health::degraded || stack.held ||
                 stack.sync == ports::SyncState::unknown;
        });
    if (bad > 0) {
      warn("agent",
           "stacks that need somebody: " + std::to_string(bad) + " of " +
               std::to_string(status->stacks.size()),
           "`skep status` shows which, `skep explain STACK` why");
    } else if (status->fetch_error.empty() && status->docker_up) {
      good("agent",
           "looks after " + std::to_string(status->stacks.size()) +
               (status->stacks.size() == 1 ? " stack" : " stacks"));
    }
  }

  const Session& session_;
  const DoctorFlags& flags_;
  std::vector<Diagnosis> findings_;
  std::unique_ptr<engine::SocketEngine> engine_;
  ports::EngineInfo info_;
  std::optional<swarm::LiveState> live_;
  std::set<std::string> asked_;
  bool never_asked_ = false;  ///< Registries: no image is pinned by its digest.
};

int doctor(const Session& session, const DoctorFlags& flags) {
  const auto findings = Doctor(session, flags).examine();
  if (flags.output == "json") {
    auto list = nlohmann::ordered_json::array();
    for (const auto& finding : findings) {
      list.push_back({{"state", word_of(finding.state)},
                      {"about", finding.about},
                      {"text", finding.text},
                      {"remedy", finding.remedy}});
    }
    std::cout << nlohmann::ordered_json{{"findings", list}}.dump() << "\n";
  } else {
    for (const auto& finding : findings) {
      std::cout << column(std::string(word_of(finding.state)), 5) << column(finding.about, 8)
                << printable(finding.text) << "\n";
      if (!finding.remedy.empty())
        std::cout << std::string(17, ' ') << "→ " << printable(finding.remedy) << "\n";
    }
  }
  const bool well = std::none_of(findings.begin(), findings.end(), [](const Diagnosis& finding) {
    return finding.state == Diagnosis::State::wrong;
  });
  return well ? kSuccess : kFailure;
}

}  // namespace

void add_doctor(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "doctor",
      "Check engine, swarm, clock, registries, git, state directory and agent, and say how to mend "
      "what is wrong; exit 1 where something is");
  auto flags = std::make_shared<DoctorFlags>();
  flags->repository.repo.clear();
  add_repository_flags(*verb, flags->repository);
  add_agent_flags(*verb, flags->agent);
  verb->add_option("-o,--output", flags->output, "text or json")
      ->one_of({"text", "json"})
      ->capture_default_str();
  verb->footer("Example:  skep doctor --repo https://git.example.com/ops/cluster.git");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return doctor(session, *flags); }; });
}

}  // namespace skep::cli
