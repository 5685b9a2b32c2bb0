#include "tests/lab/lab.hpp"

#include <filesystem>
#include <memory>

#include <stdlib.h>
#include <unistd.h>

#include "tests/paths.hpp"

namespace skep::lab {
namespace {

std::string script(const std::string& name) {
  return std::string(SKEP_SOURCE_DIR "/tests/lab/") + name;
}

/// The value of "NAME=value" on a line of its own.
std::string value_of(const std::string& text, const std::string& name) {
  const auto start = ("\n" + text).find("\n" + name + "=");
  if (start == std::string::npos) return {};
  const auto from = start + name.size() + 1;
  return text.substr(from, text.find('\n', from) - from);
}

}  // namespace

LabEngine& LabEngine::shared() {
  static const auto engine = [] {
    const char* given = ::getenv("SKEP_TEST_DOCKER_HOST");
    return given != nullptr ? std::unique_ptr<LabEngine>(new LabEngine(Given{}, given))
                            : std::make_unique<LabEngine>();
  }();
  return *engine;
}

LabEngine::LabEngine(Given /*given*/, const std::string& docker_host) {
  constexpr std::string_view kScheme = "unix://";
  if (docker_host.starts_with(kScheme))
    socket_ = docker_host.substr(kScheme.size());
  else
    failure_ = "SKEP_TEST_DOCKER_HOST must be unix://PATH, but is " + docker_host;
  auto path = (std::filesystem::temp_directory_path() / "skep-lab-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) failure_ = "cannot make a directory like " + path;
  directory_ = path;
}

LabEngine::LabEngine(const std::vector<std::string>& flags) : ours_(true) {
  auto path = (std::filesystem::temp_directory_path() / "skep-lab-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) {
    failure_ = "cannot make a directory like " + path;
    return;
  }
  directory_ = path;
  socket_ = path + "/docker.sock";
  std::vector<std::string> command{
      script("engine"), "start", path, "--owner", std::to_string(::getpid())};
  command.insert(command.end(), flags.begin(), flags.end());
  const auto started = run(command);
  if (started.exit_code == 77)
    cannot_ = started.err;
  else if (started.exit_code != 0)
    failure_ = started.err;
}

LabEngine::~LabEngine() {
  if (ours_ && !directory_.empty()) run({script("engine"), "stop", directory_});
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

std::map<std::string, std::string> LabEngine::environment() const {
  return {{"DOCKER_HOST", docker_host()}, {"DOCKER_CONFIG", directory_ + "/client"}};
}

CommandOutput LabEngine::docker(std::vector<std::string> arguments,
                                const std::string& standard_input) const {
  const bool newer = ::access("/usr/local/bin/docker", X_OK) == 0;
  arguments.insert(arguments.begin(), newer ? "/usr/local/bin/docker" : "docker");
  return run(arguments, environment(), standard_input);
}

CommandOutput LabEngine::enter(std::vector<std::string> command) const {
  command.insert(command.begin(), {script("engine"), "enter", directory_});
  return run(command);
}

const LabRegistry& LabEngine::registry(const std::string& notify, const std::string& token) {
  if (registry_) return *registry_;
  registry_ = std::make_unique<LabRegistry>();
  std::vector<std::string> command{script("registry"), "start", directory_};
  if (!notify.empty()) command.insert(command.end(), {notify, token});
  const auto started = run(command);
  if (started.exit_code != 0) {
    ADD_FAILURE() << "the lab's registry did not start: " << started.err;
    return *registry_;
  }
  registry_->address = value_of(started.out, "ADDRESS");
  registry_->user = value_of(started.out, "USER");
  registry_->password = value_of(started.out, "PASSWORD");
  return *registry_;
}

}  // namespace skep::lab
