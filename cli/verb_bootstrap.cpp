#include <algorithm>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "cli/agent_settings.hpp"
#include "cli/deployment.hpp"
#include "cli/digest_key.hpp"
#include "cli/private_file.hpp"
#include "core/digest.hpp"
#include "gitsync/deploy_key.hpp"
#include "gitsync/remote_url.hpp"
#include "swarm/image_ref.hpp"

namespace skep::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDigestKey = "skep_digest_key";

struct BootstrapFlags {
  RepositoryFlags repository;
  std::string image, stack = "skep", instance = "default", interval = "60s", publish;
  std::vector<std::string> settings;  ///< --env
  std::string resolve_image = "always";
  std::string engine_socket = "/var/run/docker.sock";
  bool print = false, unchecked = false;
};

/// `known`: the variables that the agent reads. Others are for libraries in its process.
Result<void> check_setting(const std::string& name,
                           const std::string& value,
                           const std::vector<std::string>& known) {
  if (name == "SKEP_INTERVAL") {
    if (const auto interval = interval_of(value); !interval)
      return Error(interval.error()).within("--env " + name);
  }
  if (std::find(known.begin(), known.end(), name) != known.end()) return {};
  if (!name.starts_with("SKEP_")) {
    std::cerr << "--env " << name << ": skep reads no variable of that name; the agent's process "
              << "gets it all the same\n";
    return {};
  }
  auto message = "--env " + name + ": the agent reads no variable of that name";
  if (const auto near = nearest(name, known); !near.empty())
    message += "; did you mean " + near + "?";
  return Error{ErrorKind::invalid_input, message + " (`skep agent --help` lists them as Env:)"};
}

/// The compose file of the agent's stack: what deploy/skep.yml holds, with what the flags say.
/// JSON, which is YAML too and needs no rules of quoting.
class AgentStack {
 public:
  explicit AgentStack(const BootstrapFlags& flags) : flags_(flags) {
    const auto& repository = flags.repository;
    put("SKEP_REPO", repository.repo);
    put("SKEP_REF", repository.ref);
    put("SKEP_PATH", repository.path);
    put("SKEP_ENVIRONMENT", repository.environment);
    put("SKEP_INTERVAL", flags.interval);
    put("SKEP_INSTANCE", flags.instance);
    put("SKEP_SELF_STACK", flags.stack);
    put("SKEP_STATE_DIR", "/var/lib/skep");
    put("SKEP_GIT_USER", repository.git_user);
    std::string host_keys;
    for (const auto& key : repository.host_keys) host_keys += (host_keys.empty() ? "" : ",") + key;
    put("SKEP_HOST_KEY", host_keys);
    put("SKEP_HOST_CHECKOUT", repository.host_checkout);
    put("SKEP_ALLOW_REWIND", repository.allow_rewind ? "true" : "");
    put("SKEP_LISTEN", flags.publish.empty() ? "127.0.0.1:9920" : "0.0.0.0:9920");
    secret("skep_git_password", repository.git_password_file, "SKEP_GIT_PASSWORD_FILE");
    secret("skep_git_key", repository.ssh_key_file, "SKEP_SSH_KEY_FILE");
    secret("skep_age_key", repository.age_key_file, "");
    config("known_hosts", repository.known_hosts_file, "SKEP_KNOWN_HOSTS_FILE");
    config("git_ca.pem", repository.ca_file, "SKEP_GIT_CA_FILE");
    config("allowed_signers", repository.allowed_signers_file, "SKEP_ALLOWED_SIGNERS_FILE");
    external_secret(kDigestKey);
    mount(flags.engine_socket, "/var/run/docker.sock", false);
    if (is_local(repository.repo))
      mount(local_path(repository.repo), local_path(repository.repo), true);
  }

  static bool is_local(const std::string& repo) {
    return repo.starts_with("/") || repo.starts_with("file://");
  }
  static std::string local_path(const std::string& repo) {
    return repo.starts_with("file://") ? repo.substr(7) : repo;
  }

  [[nodiscard]] std::string text() const {
    auto volumes = mounts_;
    volumes.push_back({{"type", "volume"}, {"source", "state"}, {"target", "/var/lib/skep"}});
    Json service = {{"image", escaped(flags_.image)},
                    {"command", {"agent"}},
                    {"environment", environment_},
                    {"volumes", volumes},
                    {"stop_grace_period", "15s"},
                    {"deploy",
                     {{"replicas", 1},
                      {"placement", {{"constraints", {"node.role == manager"}}}},
                      // Never two agents at once.
                      {"update_config", {{"order", "stop-first"}}},
                      {"restart_policy", {{"delay", "5s"}}}}}};
    if (!service_secrets_.empty()) service["secrets"] = service_secrets_;
    if (!service_configs_.empty()) service["configs"] = service_configs_;
    if (!flags_.publish.empty()) {
      service["ports"] = Json::array({{{"target", 9920},
                                       {"published", std::stoi(flags_.publish)},
                                       {"protocol", "tcp"},
                                       {"mode", "host"}}});
    }
    Json document = {{"version", "3.8"}, {"services", {{"agent", std::move(service)}}}};
    document["volumes"] = {{"state", Json::object()}};
    if (!secrets_.empty()) document["secrets"] = secrets_;
    if (!configs_.empty()) document["configs"] = configs_;
    return document.dump(2) + "\n";
  }

  Result<void> add_settings(const std::vector<std::string>& known) {
    for (const auto& setting : flags_.settings) {
      const auto equals = setting.find('=');
      if (equals == std::string::npos || equals == 0)
        return Error{ErrorKind::invalid_input, "--env must be NAME=VALUE"};
      const auto name = setting.substr(0, equals);
      const auto value = setting.substr(equals + 1);
      if (auto checked = check_setting(name, value, known); !checked) return checked;
      environment_[name] = escaped(value);
    }
    return {};
  }

 private:
  /// A dollar begins a variable in compose files.
  static std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '$' ? "$$" : std::string(1, c);
    return result;
  }
  void put(const std::string& name, const std::string& value) {
    if (!value.empty()) environment_[name] = escaped(value);
  }
  void secret(const std::string& name, const std::string& file, const std::string& variable) {
    if (file.empty()) return;
    secrets_[name] = {{"file", absolute(file)}};
    service_secrets_.push_back({{"source", name}, {"target", name}});
    put(variable.empty() ? "SKEP_AGE_KEY_FILE" : variable, "/run/secrets/" + name);
  }
  void external_secret(const std::string& name) {
    secrets_[name] = {{"external", true}, {"name", name}};
    service_secrets_.push_back({{"source", name}, {"target", name}});
  }
  void config(const std::string& name, const std::string& file, const std::string& variable) {
    if (file.empty()) return;
    const auto key = "skep_" + name.substr(0, name.find('.'));
    configs_[key] = {{"file", absolute(file)}};
    service_configs_.push_back({{"source", key}, {"target", "/etc/skep/" + name}});
    put(variable, "/etc/skep/" + name);
  }
  void mount(const std::string& source, const std::string& target, bool read_only) {
    mounts_.push_back({{"type", "bind"},
                       {"source", escaped(source)},
                       {"target", escaped(target)},
                       {"read_only", read_only}});
  }
  static std::string absolute(const std::string& file) {
    return escaped(std::filesystem::absolute(file).lexically_normal().string());
  }

  const BootstrapFlags& flags_;
  Json environment_ = Json::object(), secrets_ = Json::object(), configs_ = Json::object();
  Json service_secrets_ = Json::array(), service_configs_ = Json::array(), mounts_ = Json::array();
};

Result<void> check_flags(const BootstrapFlags& flags) {
  const auto& repo = flags.repository.repo;
  if (!AgentStack::is_local(repo) && !gitsync::names_remote(repo)) {
    return Error{ErrorKind::invalid_input,
                 "--repo must be what the agent can reach: https://…, git@HOST:…, ssh://… or an "
                 "absolute path on the manager"};
  }
  if (flags.image.empty())
    return Error{ErrorKind::invalid_input, "--image is missing: scripts/image makes one"};
  if (const auto image = swarm::ImageRef::parse(flags.image); !image)
    return Error(image.error()).within("--image");
  if (const auto name = swarm::StackName::parse(flags.stack); !name)
    return Error(name.error()).within("--stack");
  if (auto checked = check_instance(flags.instance); !checked) return checked;
  if (const auto interval = interval_of(flags.interval); !interval) return interval.error();
  if (auto checked = check_host_keys(flags.repository); !checked) return checked;
  const auto& port = flags.publish;
  if (!port.empty() &&
      (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
       std::stoi(port) < 1 || std::stoi(port) > 65535))
    return Error{ErrorKind::invalid_input, "--publish must be a port"};
  return {};
}

/// The key of an ssh remote, made where there is none yet. What it prints is for the git host.
Result<bool> ensure_deploy_key(const BootstrapFlags& flags) {
  const auto& file = flags.repository.ssh_key_file;
  if (file.empty() || std::filesystem::exists(file)) return false;
  const auto key = gitsync::make_deploy_key("skep-" + flags.instance);
  if (!key) return key.error();
  if (auto made = create_file(file, key->private_key.reveal(), 0600); !made)
    return std::move(made).error();
  if (auto made = create_file(file + ".pub", key->public_line + "\n", 0644); !made)
    return std::move(made).error();
  std::cout << "Made the deploy key " << file
            << ". Add this line to the repository as a deploy key "
            << "that may only read:\n\n  " << key->public_line << "\n\n";
  return true;
}

/// From here, with what the agent will have: a wrong key, host key or address is known at once.
Result<void> check_repository(const Session& session, const BootstrapFlags& flags, bool new_key) {
  if (flags.unchecked) return {};
  const auto log = make_logger(session, false);
  auto source = open_source(session, flags.repository, *log);
  if (!source) return std::move(source).error();
  auto snapshot = (*source)->fetch(session.stop);
  if (snapshot) {
    std::cout << "repository " << (*source)->describe() << " is at "
              << (*snapshot)->revision().commit.substr(0, 12) << "\n";
    return {};
  }
  auto error = std::move(snapshot).error();
  error.message += new_key ? "\nWhen the git host knows the new key, run this again; nothing was "
                             "deployed yet."
                           : "\nNothing was deployed. --no-check deploys the agent all the same.";
  return error;
}

Result<void> ensure_digest_key(const Session& session, engine::SocketEngine& engine) {
  const auto live = engine.observe(session.stop);
  if (!live) return live.error();
  if (live->find_secret(kDigestKey) != nullptr) return {};
  swarm::SecretSpec spec;
  spec.name = kDigestKey;
  spec.data = Secret(to_hex(random_bytes(32)));
  const auto created = engine.create_secret(spec, session.stop);
  if (!created) return Error(created.error()).within("create " + spec.name);
  std::cout << "created secret " << kDigestKey << "\n";
  return {};
}

/// What the swarm gets; the compose file need not be there any more.
Result<swarm::StackSpec> desired_stack(const Session& session,
                                       const DeployFlags& deploy,
                                       const AgentStack& stack) {
  const auto file = PrivateFile::make("skep.yml", stack.text());
  if (!file) return file.error();
  auto flags = deploy;
  flags.files = {file->path()};
  return load_compose(session, flags);
}

int bootstrap(const Session& session,
              const BootstrapFlags& flags,
              const std::vector<std::string>& known) {
  if (auto checked = check_flags(flags); !checked) return fail(checked.error());
  AgentStack stack(flags);
  if (auto added = stack.add_settings(known); !added) return fail(added.error());
  if (flags.print) {
    std::cout << stack.text();
    return kSuccess;
  }
  auto engine = open_manager(session, true);
  if (!engine) return fail(engine.error());
  const auto new_key = ensure_deploy_key(flags);
  if (!new_key) return fail(new_key.error());
  if (auto checked = check_repository(session, flags, *new_key); !checked)
    return fail(checked.error());
  DeployFlags deploy;
  deploy.stack = flags.stack;
  deploy.prune = true;
  deploy.registry_auth = true;
  deploy.resolve_image = flags.resolve_image;
  auto desired = desired_stack(session, deploy, stack);
  if (!desired) return fail(desired.error());
  if (auto made = ensure_digest_key(session, **engine); !made) return fail(made.error());
  auto digest = read_digest_key(flags.repository.digest_key_file);
  if (!digest) return fail(digest.error());
  Deployment deployment(session, deploy, **engine, *std::move(desired), *std::move(digest));
  auto plan = deployment.plan();
  if (!plan) return fail(plan.error());
  if (plan->empty() && !plan->blocked()) {
    std::cout << "the agent is there as it should be; nothing was written\n";
  } else if (auto applied = deployment.apply(*std::move(plan)); !applied) {
    return fail(applied.error());
  }
  if (auto waited = deployment.wait(); !waited) return fail(waited.error());
  std::cout << "the agent runs; `skep status` on its manager shows what it does\n";
  return kSuccess;
}

}  // namespace

void add_bootstrap(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "bootstrap",
      "Put the agent on this swarm as a stack: keys, secrets, service; can be run again");
  auto flags = std::make_shared<BootstrapFlags>();
  add_repository_flags(*verb, flags->repository);
  verb->add_option("--image", flags->image, "Image of the agent, as the managers can pull it")
      ->envname("SKEP_IMAGE");
  verb->add_option("--stack", flags->stack, "Name of the agent's own stack")->capture_default_str();
  verb->add_option("--instance", flags->instance, "Name of the agent among those of this swarm")
      ->capture_default_str();
  verb->add_option("--interval", flags->interval, "Between two looks at the repository")
      ->capture_default_str();
  verb->add_option("--resolve-image", flags->resolve_image, "Ask the registry for its digest")
      ->one_of({"always", "changed", "never"})
      ->capture_default_str();
  verb->add_option("--publish",
                   flags->publish,
                   "Port of the manager for metrics, health and API (default: none; the command "
                   "line finds the agent without)");
  verb->add_option("--engine-socket", flags->engine_socket, "Where the managers' engines listen")
      ->capture_default_str();
  verb->add_option("--env",
                   flags->settings,
                   "Further setting of the agent, as SKEP_NAME=VALUE (can be given several times)")
      ->one_at_a_time();
  verb->add_flag("--no-check", flags->unchecked, "Do not read the repository from here first");
  verb->add_flag("--print", flags->print, "Only print the stack's compose file");
  verb->footer(
      "Example:  skep bootstrap --image my-registry.com:8300/ops/skep:0.1.0 --repo "
      "git@git.example.com:ops/cluster.git --git-ssh-key deploy_key --host-key SHA256:…\n"
      "A key that is not there yet is made, and its public half printed for the git host.");
  verb->callback([&app, &session, flags] {
    const auto* agent = app.find_subcommand("agent");
    session.verb = [&session, flags, known = agent->variables()] {
      return bootstrap(session, *flags, known);
    };
  });
}

}  // namespace skep::cli
