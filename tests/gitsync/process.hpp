#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace skep::gitsync::test {

/// A directory that goes with the object.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Full path of an installed program, "" where there is none.
[[nodiscard]] std::string program(const std::string& name);

struct Outcome {
  int exit_code = -1;
  std::string output;
};

/// Runs a program to its end. `environment` is all that it gets.
Outcome run(const std::vector<std::string>& arguments,
            std::string_view input = {},
            const std::map<std::string, std::string>& environment = {});

/// A program that runs until this goes.
class Background {
 public:
  Background(const std::vector<std::string>& arguments, const std::filesystem::path& log);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  [[nodiscard]] bool is_running() const;

 private:
  pid_t pid_ = -1;
};

/// A port of the loopback address that nobody listens on at this moment.
[[nodiscard]] std::uint16_t free_port();
/// Waits, at most some seconds, until somebody accepts connections there.
[[nodiscard]] bool wait_for_port(std::uint16_t port);

/// Accepts connections (in the kernel's queue) and never says a word.
class SilentServer {
 public:
  SilentServer();
  ~SilentServer();
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int socket_ = -1;
};

void write_file(const std::filesystem::path& file, std::string_view text, unsigned mode = 0644);
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace skep::gitsync::test
