#include "cli/host_files.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace skep::cli {
namespace {

constexpr std::uintmax_t kLargestFile = 64U << 20U;

}  // namespace

Result<std::optional<std::string>> HostFiles::read(const std::string& path) const {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) return std::optional<std::string>();
  if (std::filesystem::is_directory(status))
    return Error{ErrorKind::invalid_input, "read " + path + ": is a directory"};
  if (std::filesystem::is_regular_file(status) &&
      std::filesystem::file_size(path, code) > kLargestFile) {
    return Error{ErrorKind::invalid_input, "read " + path + ": larger than 64 MiB"};
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorKind::invalid_input, "open " + path + ": permission denied"};
  return std::optional(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace skep::cli
