#include "cli/session.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/age_keys.hpp"
#include "engine/endpoint.hpp"
#include "gitsync/git_source.hpp"
#include "gitsync/remote_url.hpp"
#include "gitsync/work_tree.hpp"

namespace skep::cli {
namespace {

constexpr const char* kServices = "/var/lib/skep";  ///< Where services keep their state.

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

bool is_bare_repository(const std::filesystem::path& directory) {
  std::error_code code;
  return std::filesystem::is_regular_file(directory / "HEAD", code) &&
         std::filesystem::is_directory(directory / "objects", code);
}

}  // namespace

std::string default_state_directory(const Session& session) {
  if (const auto cache = session.variable("XDG_CACHE_HOME"); !cache.empty()) return cache + "/skep";
  if (const auto home = session.variable("HOME"); !home.empty()) return home + "/.cache/skep";
  return kServices;
}

std::string agent_state_directory(const Session& session, const RepositoryFlags& flags) {
  if (!flags.state_directory.empty()) return flags.state_directory;
  std::error_code ignored;  // Then it cannot be written either.
  std::filesystem::create_directories(kServices, ignored);
  return ::access(kServices, W_OK) == 0 ? kServices : default_state_directory(session);
}

std::string Session::variable(const std::string& name) const {
  const auto at = environment.find(name);
  return at == environment.end() ? std::string() : at->second;
}

std::function<std::string(std::string_view)> masking(const Session& session) {
  return [set = session.redaction](std::string_view text) { return set->mask(text); };
}

int fail(const Error& error) {
  std::cerr << "skep: " << to_string(error) << "\n";
  return kFailure;
}

Result<std::unique_ptr<engine::SocketEngine>> open_engine(const Session& session,
                                                          bool registry_auth,
                                                          RequestObserver on_request) {
  if (!session.host.empty() && !session.context.empty())
    return Error{ErrorKind::invalid_input, "--host and --context both name an engine; give one"};
  auto environment = session.environment;
  if (!session.context.empty()) {
    // As with the Docker CLI, the flag goes before every variable that names an engine.
    environment.erase("DOCKER_HOST");
    environment["DOCKER_CONTEXT"] = session.context;
  }
  auto endpoint = engine::endpoint_from(
      environment, session.host.empty() ? std::nullopt : std::optional(session.host));
  if (!endpoint) return std::move(endpoint).error();
  engine::EngineOptions options;
  options.endpoint = *std::move(endpoint);
  options.registry_auth = registry_auth;
  options.on_request = std::move(on_request);
  if (const auto directory = engine::docker_config_directory(session.environment);
      !directory.empty()) {
    options.docker_config = directory + "/config.json";
  }
  return std::make_unique<engine::SocketEngine>(std::move(options));
}

Result<std::unique_ptr<engine::SocketEngine>> open_manager(const Session& session,
                                                           bool registry_auth) {
  auto engine = open_engine(session, registry_auth);
  if (!engine) return engine;
  const auto info = (*engine)->info(session.stop);
  if (!info) return info.error();
  if (!info->manager) {
    return Error{
        ErrorKind::invalid_input,
        info->swarm_active
            ? "this node is not a swarm manager: run skep on a manager, or point DOCKER_HOST at one"
            : "this node is not a swarm manager: run `docker swarm init`, or point DOCKER_HOST at "
              "a manager"};
  }
  return engine;
}

void add_repository_flags(Command& app, RepositoryFlags& flags) {
  const auto group = "Repository";
  app.add_option(
         "--repo", flags.repo, "Config repository: a directory or a git URL (file, https, ssh)")
      ->envname("SKEP_REPO")
      ->capture_default_str()
      ->group(group);
  app.add_option("--ref", flags.ref, "Branch, tag or commit (default: the remote's default branch)")
      ->envname("SKEP_REF")
      ->group(group);
  app.add_option("--path", flags.path, "Directory inside the repository that is its root for skep")
      ->envname("SKEP_PATH")
      ->group(group);
  app.add_option("--environment",
                 flags.environment,
                 "Adds docker-compose.ENV.yml and values.ENV.yaml where they are, and is "
                 ".Environment in templates")
      ->envname("SKEP_ENVIRONMENT")
      ->group(group);
  app.add_option("--state-dir", flags.state_directory, "Where the mirror of a remote is kept")
      ->envname("SKEP_STATE_DIR")
      ->group(group);
  app.add_option("--git-user", flags.git_user, "User for https (a token goes into the password)")
      ->envname("SKEP_GIT_USER")
      ->group(group);
  app.add_option("--git-password-file",
                 flags.git_password_file,
                 "File with the password or token for https")
      ->envname("SKEP_GIT_PASSWORD_FILE")
      ->group(group);
  app.add_option("--git-ssh-key", flags.ssh_key_file, "Private key for ssh (Ed25519 or ECDSA)")
      ->envname("SKEP_SSH_KEY_FILE")
      ->group(group);
  app.add_option(
         "--known-hosts", flags.known_hosts_file, "OpenSSH known_hosts file with the host's key")
      ->envname("SKEP_KNOWN_HOSTS_FILE")
      ->group(group);
  app.add_option("--host-key",
                 flags.host_keys,
                 "Accepted host key, as SHA256:… (can be given several times, or with commas)")
      ->envname("SKEP_HOST_KEY")
      ->separated_by_commas()
      ->group(group);
  app.add_option("--git-ca-file", flags.ca_file, "PEM file with the CA of the https remote")
      ->envname("SKEP_GIT_CA_FILE")
      ->group(group);
  app.add_option("--host-checkout",
                 flags.host_checkout,
                 "Absolute path of a checkout of this repository on the nodes, for bind mounts of "
                 "files that git does not hold (acme.json), for repo_files: host, and where "
                 "repo_files: checkout keeps files (mounted into the agent at the same path)")
      ->envname("SKEP_HOST_CHECKOUT")
      ->group(group);
  app.add_option("--digest-key-file",
                 flags.digest_key_file,
                 "Key that names generations of secrets (default: /run/secrets/skep_digest_key "
                 "where it is)")
      ->envname("SKEP_DIGEST_KEY_FILE")
      ->group(group);
  add_age_key_flag(app, flags.age_key_file);
  app.add_flag("--allow-rewind", flags.allow_rewind, "Accept a branch whose history was rewritten")
      ->envname("SKEP_ALLOW_REWIND")
      ->group(group);
  app.add_option(
         "--allowed-signers-file",
         flags.allowed_signers_file,
         "Only commits that one of these SSH keys signed are carried out (the file of git's "
         "gpg.ssh.allowedSignersFile)")
      ->envname("SKEP_ALLOWED_SIGNERS_FILE")
      ->group(group);
}

void add_setting_flags(Command& app, RepositoryFlags& flags) {
  app.add_option("--set",
                 flags.settings,
                 "Value for the template of a stack, over its files: a.b=1,list[0]=x,list={x,y} "
                 "(can be given several times)")
      ->one_at_a_time();
  app.add_option("--set-string", flags.text_settings, "The same; every value is a string")
      ->one_at_a_time();
  app.add_option("--set-file",
                 flags.file_settings,
                 "KEY=PATH: the value is the content of a file of this machine, as text")
      ->one_at_a_time();
}

Result<RepoPath> configuration_root(const RepositoryFlags& flags) {
  auto root = RepoPath::parse(flags.path);
  if (!root) return std::move(root).error().within("--path");
  return root;
}

Result<std::string> host_checkout_of(const RepositoryFlags& flags) {
  if (flags.host_checkout.empty()) return std::string();
  auto path = std::filesystem::path(flags.host_checkout).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const bool usable = path.starts_with("/") && path != "/";
  if (usable) return path;
  return Error{ErrorKind::invalid_input,
               "--host-checkout must be an absolute path of the nodes, such as /srv/cluster-repo"};
}

Result<void> check_host_keys(const RepositoryFlags& flags) {
  constexpr std::size_t kDigits = 43;  // 32 bytes in base64, without the '=' at the end.
  for (const auto& given : flags.host_keys) {
    auto pin = std::string_view(given);
    if (pin.starts_with("SHA256:")) pin.remove_prefix(7);
    while (pin.ends_with('=')) pin.remove_suffix(1);
    const bool good =
        pin.size() == kDigits && pin.find_first_not_of(
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789+/") == std::string_view::npos;
    if (good) continue;
    return Error{ErrorKind::invalid_input,
                 "--host-key " + given +
                     ": must be SHA256: and 43 letters and digits, as `ssh-keyscan HOST | "
                     "ssh-keygen -lf -` shows it and the git host publishes it"};
  }
  return {};
}

Result<std::unique_ptr<ports::Source>> open_source(const Session& session,
                                                   const RepositoryFlags& flags,
                                                   spdlog::logger& log) {
  if (auto checked = check_host_keys(flags); !checked) return std::move(checked).error();
  const bool directory = !gitsync::names_remote(flags.repo);
  if (directory && flags.ref.empty() && !is_bare_repository(flags.repo)) {
    return gitsync::open_work_tree(flags.repo, {});
  }
  // A directory with a ref is read as a repository: what is committed counts, not what lies around.
  auto parsed = gitsync::RemoteUrl::parse(
      gitsync::names_remote(flags.repo)
          ? flags.repo
          : std::filesystem::absolute(flags.repo).lexically_normal().string());
  if (!parsed) return std::move(parsed).error().within("--repo");
  gitsync::GitOptions options{.url = parsed->url,
                              .ref = flags.ref,
                              .state_directory = flags.state_directory.empty()
                                                     ? default_state_directory(session)
                                                     : flags.state_directory};
  options.allow_rewind = flags.allow_rewind;
  if (!flags.allowed_signers_file.empty()) {
    auto text = read_file(flags.allowed_signers_file);
    if (!text) return std::move(text).error().within("--allowed-signers-file");
    auto allowed = gitsync::AllowedSigners::parse(*text, flags.allowed_signers_file);
    if (!allowed) return std::move(allowed).error().within("--allowed-signers-file");
    options.allowed_signers = *std::move(allowed);
  }
  auto& credentials = options.credentials;
  credentials.user = parsed->user_info.user;
  credentials.password = parsed->user_info.password;
  if (!flags.git_user.empty()) credentials.user = flags.git_user;
  if (!flags.git_password_file.empty()) {
    auto password = read_file(flags.git_password_file);
    if (!password) return std::move(password).error().within("--git-password-file");
    credentials.password = Secret(without_line_end(*std::move(password)));
  }
  credentials.ssh_key_file = flags.ssh_key_file;
  if (!flags.known_hosts_file.empty()) {
    auto known = read_file(flags.known_hosts_file);
    if (!known) return std::move(known).error().within("--known-hosts");
    credentials.known_hosts = *std::move(known);
  }
  credentials.host_key_fingerprints = flags.host_keys;
  credentials.ca_file = flags.ca_file;
  return gitsync::open_source(std::move(options), session.clock, log);
}

Result<std::string> read_file(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) {
    return Error{ErrorKind::invalid_input, "read " + path + ": is a directory"};
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const auto reason = errno == EACCES ? "permission denied" : "no such file or directory";
    return Error{ErrorKind::invalid_input, "open " + path + ": " + reason};
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad())
    return Error{ErrorKind::unavailable, "read " + path + ": the disk reports an error"};
  return text;
}

}  // namespace skep::cli
