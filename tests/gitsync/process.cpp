#include "tests/gitsync/process.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace skep::gitsync::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int bound_socket(std::uint16_t& port) {
  const int number = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(number, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(number, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("no loopback port");
  port = ntohs(address.sin_port);
  return number;
}

/// Not by fork(): servers of these tests answer in threads of their own, and the child of one
/// thread may hold the memory allocator's lock of another for ever.
class Spawn {
 public:
  Spawn() { ::posix_spawn_file_actions_init(&actions_); }
  ~Spawn() { ::posix_spawn_file_actions_destroy(&actions_); }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  void use(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void append_to(const std::filesystem::path& file, int to) {
    ::posix_spawn_file_actions_addopen(
        &actions_, to, file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  [[nodiscard]] pid_t start(const std::vector<std::string>& arguments,
                            const std::map<std::string, std::string>& environment) {
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    std::vector<char*> argv, envp;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    for (auto& variable : variables) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    pid_t pid = -1;
    if (::posix_spawn(&pid, argv.front(), &actions_, nullptr, argv.data(), envp.data()) != 0)
      throw std::runtime_error("cannot start " + arguments.front());
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

TempDirectory::TempDirectory() {
  std::string text = (std::filesystem::temp_directory_path() / "skep-gitsync-XXXXXX").string();
  if (::mkdtemp(text.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = std::filesystem::canonical(text);
}

TempDirectory::~TempDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string program(const std::string& name) {
  for (const char* const directory : {"/usr/bin",
                                      "/usr/sbin",
                                      "/usr/local/bin",
                                      "/bin",
                                      "/sbin",
                                      "/usr/lib/git-core",
                                      "/usr/libexec/git-core"}) {
    const auto path = std::filesystem::path(directory) / name;
    if (::access(path.c_str(), X_OK) == 0) return path.string();
  }
  return "";
}

Outcome run(const std::vector<std::string>& arguments,
            std::string_view input,
            const std::map<std::string, std::string>& environment) {
  std::array<int, 2> in{}, out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("pipe");
  Spawn spawn;
  spawn.use(in[0], STDIN_FILENO);
  spawn.use(out[1], STDOUT_FILENO);
  spawn.use(out[1], STDERR_FILENO);
  const pid_t pid = spawn.start(arguments, environment);
  ::close(in[0]);
  ::close(out[1]);
  Outcome outcome;
  ::fcntl(in[1], F_SETFL, O_NONBLOCK);
  if (input.empty()) {
    ::close(in[1]);
    in[1] = -1;
  }
  for (;;) {
    std::array<pollfd, 2> polled{pollfd{out[0], POLLIN, 0}, pollfd{in[1], POLLOUT, 0}};
    ::poll(polled.data(), polled.size(), -1);
    if (in[1] >= 0 && polled[1].revents != 0) {
      const auto count = ::write(in[1], input.data(), input.size());
      if (count > 0) input.remove_prefix(static_cast<std::size_t>(count));
      if (input.empty() || (count < 0 && errno != EAGAIN)) {
        ::close(in[1]);
        in[1] = -1;
      }
    }
    if (polled[0].revents == 0) continue;
    std::array<char, 65536> chunk;
    const auto count = ::read(out[0], chunk.data(), chunk.size());
    if (count <= 0) break;
    outcome.output.append(chunk.data(), static_cast<std::size_t>(count));
  }
  if (in[1] >= 0) ::close(in[1]);
  ::close(out[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

Background::Background(const std::vector<std::string>& arguments,
                       const std::filesystem::path& log) {
  Spawn spawn;
  spawn.append_to(log, STDOUT_FILENO);
  spawn.use(STDOUT_FILENO, STDERR_FILENO);
  pid_ = spawn.start(arguments, {{"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}});
}

Background::~Background() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

bool Background::is_running() const { return ::kill(pid_, 0) == 0; }

std::uint16_t free_port() {
  std::uint16_t port = 0;
  ::close(bound_socket(port));
  return port;
}

bool wait_for_port(std::uint16_t port) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    const int number = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    const bool open =
        ::connect(number, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(number);
    if (open) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

SilentServer::SilentServer() : socket_(bound_socket(port_)) { ::listen(socket_, 16); }
SilentServer::~SilentServer() { ::close(socket_); }

void write_file(const std::filesystem::path& file, std::string_view text, unsigned mode) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out || ::chmod(file.c_str(), mode) != 0) throw std::runtime_error("write " + file.string());
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

}  // namespace skep::gitsync::test
