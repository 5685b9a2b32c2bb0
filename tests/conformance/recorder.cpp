// recorder ENGINE_SOCKET LOG COMMAND…: runs COMMAND with DOCKER_HOST set to a socket of its own that
// passes everything on to the engine, and appends every request to LOG, one JSON object per line:
// {"method":"POST","path":"/v1.41/services/create","body":"<base64>"}. Exits as COMMAND does.
//
// The body is written as base64, so that the log stays exact whatever a client sends (jq reads it
// with @base64d). Bodies must carry a Content-Length, which Go's and curl's clients always send for
// JSON; anything else ends the connection and makes the recorder exit with 125.
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace {

constexpr int kRecorderFailed = 125;
constexpr std::size_t kHeaderLimit = 1 << 20;

std::atomic<bool> not_recorded = false;

/// Where the requests go; shared by the threads of all connections.
class Log {
 public:
  explicit Log(const char* path) : out_(path, std::ios::app) {}
  [[nodiscard]] bool good() const { return out_.good(); }
  void write(std::string_view line) {
    const std::lock_guard lock(mutex_);
    out_ << line << '\n' << std::flush;
  }

 private:
  std::mutex mutex_;
  std::ofstream out_;
};

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned value = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      value = value << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[value >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

/// A Unix socket address; nothing if the path is too long for one.
std::optional<sockaddr_un> address(std::string_view path) {
  sockaddr_un result{};
  result.sun_family = AF_UNIX;
  if (path.size() >= sizeof result.sun_path) return std::nullopt;
  std::memcpy(result.sun_path, path.data(), path.size());
  return result;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool send_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_more(int from, std::string& buffer) {
  char chunk[16384];
  const ssize_t got = recv(from, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  buffer.append(chunk, static_cast<std::size_t>(got));
  return true;
}

/// The length of the body that follows these headers; nothing for a form that we cannot follow.
std::optional<std::size_t> body_length(std::string headers) {
  for (char& c : headers) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (headers.find("\r\ntransfer-encoding:") != std::string::npos) return std::nullopt;
  constexpr std::string_view kName = "\r\ncontent-length:";
  const auto at = headers.find(kName);
  if (at == std::string::npos) return 0;
  return std::strtoull(headers.c_str() + at + kName.size(), nullptr, 10);
}

/// Reads requests of one connection, logs each and passes it on unchanged, until the client ends.
void pass_requests(int client, int engine, Log& log) {
  std::string buffer;
  for (;;) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (buffer.size() > kHeaderLimit || !receive_more(client, buffer)) return;
    }
    const auto length = body_length(buffer.substr(0, end + 2));
    if (!length) {
      not_recorded = true;
      return;
    }
    while (buffer.size() < end + 4 + *length) {
      if (!receive_more(client, buffer)) return;
    }
    const auto method = buffer.find(' ');
    const auto path = buffer.find(' ', method + 1);
    log.write("{\"method\":\"" + buffer.substr(0, method) + "\",\"path\":\"" +
              buffer.substr(method + 1, path - method - 1) + "\",\"body\":\"" +
              base64(std::string_view(buffer).substr(end + 4, *length)) + "\"}");
    if (!send_all(engine, std::string_view(buffer).substr(0, end + 4 + *length))) return;
    buffer.erase(0, end + 4 + *length);
  }
}

void serve(int client, std::string_view engine_socket, Log& log) {
  const int engine = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto to = address(engine_socket);
  if (engine >= 0 && to && connect(engine, generic(*to), sizeof *to) == 0) {
    std::thread answers([client, engine] {
      std::string buffer;
      while (receive_more(engine, buffer) && send_all(client, buffer)) buffer.clear();
      shutdown(client, SHUT_RDWR);
    });
    pass_requests(client, engine, log);
    shutdown(engine, SHUT_RDWR);
    answers.join();
  }
  close(engine);
  close(client);
}

int fail(const char* what) {
  std::perror(what);
  return kRecorderFailed;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: recorder ENGINE_SOCKET LOG COMMAND…\n", stderr);
    return kRecorderFailed;
  }
  Log log(argv[2]);
  if (!log.good()) return fail(argv[2]);

  std::string folder = std::filesystem::temp_directory_path() / "recorder.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return fail("mkdtemp");
  const std::string path = folder + "/s";
  const auto here = address(path);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!here || bind(listener, generic(*here), sizeof *here) != 0 || listen(listener, 16) != 0) {
    return fail("listen");
  }

  const pid_t child = fork();
  if (child < 0) return fail("fork");
  if (child == 0) {
    setenv("DOCKER_HOST", ("unix://" + path).c_str(), 1);
    execvp(argv[3], argv + 3);
    _exit(127);
  }
  // Connections end with the command; what is left of them at the end of main ends with us.
  std::thread([listener, engine = std::string(argv[1]), &log] {
    for (;;) {
      const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      std::thread(serve, client, engine, std::ref(log)).detach();
    }
  }).detach();

  int status = 0;
  waitpid(child, &status, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (not_recorded) {
    std::fputs("recorder: a request without Content-Length was not recorded\n", stderr);
    std::_Exit(kRecorderFailed);
  }
  std::_Exit(WIFEXITED(status) ? WEXITSTATUS(status) : kRecorderFailed);
}
