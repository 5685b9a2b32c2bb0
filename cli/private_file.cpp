#include "cli/private_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace skep::cli {
namespace {

namespace fs = std::filesystem;

Error failed(const std::string& doing, const std::string& path) {
  return {ErrorKind::unavailable,
          doing + " " + path + ": " + std::generic_category().message(errno)};
}

/// Writes all of it, to the disk if it is one, and closes. `errno` tells what went wrong.
bool write_and_close(int descriptor, std::string_view text) {
  bool good = true;
  while (good && !text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    good = written > 0;
    if (good) text.remove_prefix(static_cast<std::size_t>(written));
  }
  // EINVAL: a pipe or a device that keeps nothing.
  good = good && (::fsync(descriptor) == 0 || errno == EINVAL);
  const int reason = errno;
  good = ::close(descriptor) == 0 && good;
  if (!good) errno = reason;
  return good;
}

/// A pipe, a terminal or a device takes what is written and stays what it is.
Result<void> write_into(const std::string& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) return failed("open", path);
  if (write_and_close(descriptor, text)) return {};
  return failed("write", path);
}

}  // namespace

Result<void> replace_file(const std::string& path,
                          std::string_view text,
                          unsigned mode,
                          OldMode old_mode) {
  struct stat old {};
  const bool there = ::stat(path.c_str(), &old) == 0;
  // Asked for by the name itself: what stands behind /dev/stdout may have no other.
  if (there && !S_ISREG(old.st_mode)) return write_into(path, text);
  std::error_code code;
  const auto real = fs::weakly_canonical(path, code);
  const auto target = code ? path : real.string();
  auto temporary = target + ".skep-XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return failed("write beside", target);
  bool good =
      ::fchmod(descriptor, there && old_mode == OldMode::stays ? old.st_mode & 07777U : mode) == 0;
  // Only root may give files away; for everybody else the owner is right already.
  if (there && (old.st_uid != ::geteuid() || old.st_gid != ::getegid()))
    (void)!::fchown(descriptor, old.st_uid, old.st_gid);
  good = write_and_close(descriptor, text) && good;
  good = good && ::rename(temporary.c_str(), target.c_str()) == 0;
  if (good) return {};
  auto error = failed("write", target);
  ::unlink(temporary.c_str());
  return error;
}

Result<void> create_file(const std::string& path, std::string_view text, unsigned mode) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0 && errno == EEXIST) {
    return Error{ErrorKind::invalid_input,
                 path + " is there already, and is not overwritten: choose another name"};
  }
  if (descriptor < 0) return failed("create", path);
  if (write_and_close(descriptor, text)) return {};
  auto error = failed("write", path);
  ::unlink(path.c_str());
  return error;
}

Result<PrivateFile> PrivateFile::make(const std::string& name, std::string_view text) {
  std::string directory;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
  for (const auto& parent : {std::string(runtime == nullptr ? "" : runtime),
                             std::string("/dev/shm"),
                             fs::temp_directory_path().string()}) {
    if (parent.empty()) continue;
    auto pattern = parent + "/skep-edit-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) continue;
    directory = pattern;
    break;
  }
  if (directory.empty()) return failed("make a private directory in", "/dev/shm");
  PrivateFile file(directory, directory + "/" + name);
  if (auto made = create_file(file.path_, text, 0600); !made) return std::move(made).error();
  return file;
}

PrivateFile::PrivateFile(PrivateFile&& other) noexcept
    : directory_(std::move(other.directory_)), path_(std::move(other.path_)) {
  other.directory_.clear();
}

void PrivateFile::remove() const noexcept {
  if (directory_.empty()) return;
  // Editors leave copies beside the file.
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

bool PrivateFile::is_in_memory() const noexcept {
  struct statfs system {};
  return ::statfs(directory_.c_str(), &system) == 0 &&
         (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

PrivateFile::~PrivateFile() { remove(); }

}  // namespace skep::cli
