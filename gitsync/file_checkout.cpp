#include "gitsync/file_checkout.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.hpp"
#include "core/handle.hpp"
#include "gitsync/descriptor.hpp"

namespace skep::gitsync {
namespace {

constexpr const char* kManifest = ".skep-checkout";

Error failed(const std::string& doing, int code) {
  return Error{ErrorKind::unavailable,
               "checkout: cannot " + doing + ": " + std::generic_category().message(code)};
}

/// A path's directory and last part. Directories on the way are made where `make` says so.
struct Place {
  Descriptor directory;
  std::string name;
};

/// Nothing where a directory on the way is missing and is not to be made.
Result<std::optional<Place>> place_of(int root, const RepoPath& path, bool make) {
  const auto& text = path.text();
  Place place{Descriptor(::fcntl(root, F_DUPFD_CLOEXEC, 0)), ""};
  for (std::size_t begin = 0;;) {
    const auto slash = text.find('/', begin);
    place.name = text.substr(begin, slash - begin);
    if (slash == std::string::npos) return std::optional(std::move(place));
    if (make && ::mkdirat(place.directory.get(), place.name.c_str(), 0755) != 0 && errno != EEXIST)
      return failed("make the directory of " + text, errno);
    Descriptor next(::openat(place.directory.get(),
                             place.name.c_str(),
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.is_open()) {
      if (!make && errno == ENOENT) return std::optional<Place>();
      if (errno == ELOOP || errno == ENOTDIR) {
        return Error{ErrorKind::invalid_input,
                     "checkout: " + text.substr(0, slash) +
                         " is no directory there, and what skep did not make it does not remove"};
      }
      return failed("open the directory of " + text, errno);
    }
    place.directory = std::move(next);
    begin = slash + 1;
  }
}

struct Found {
  std::string text;
  bool executable = false;
};

/// A regular file's content; nothing where there is none, or where something else stands.
std::optional<Found> read_file(int directory, const std::string& name) {
  const Descriptor file(
      ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat about {};
  if (!file.is_open() || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode))
    return std::nullopt;
  Found found;
  found.executable = (about.st_mode & S_IXUSR) != 0;
  char buffer[16384];
  for (;;) {
    const auto got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return found;
    found.text.append(buffer, static_cast<std::size_t>(got));
  }
}

using DirectoryHandle = Handle<DIR, ::closedir>;

/// A directory with nothing in it but directories of this kind; false where there is more, or
/// something else. Nobody misses it, whoever made it.
bool remove_empty(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) return true;
  if (errno != ENOTEMPTY && errno != EEXIST) return false;
  const int number =
      ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const DirectoryHandle directory(number < 0 ? nullptr : ::fdopendir(number));
  if (!directory) {
    if (number >= 0) ::close(number);
    return false;
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours
  while (const dirent* const item = ::readdir(directory.get())) {
    const std::string inner = item->d_name;
    if (inner != "." && inner != ".." && !remove_empty(number, inner)) return false;
  }
  return ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0;
}

/// Beside the old one, and then in its place: nobody sees half a file.
Result<void> replace_file(const Place& place, const std::string& text, bool executable) {
  const auto fresh = "." + place.name.substr(0, 200) + ".skep-new";
  const auto directory = place.directory.get();
  ::unlinkat(directory, fresh.c_str(), 0);  // Of one that was killed.
  const Descriptor file(::openat(
      directory, fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.is_open()) return failed("write " + place.name, errno);
  for (std::size_t done = 0; done < text.size();) {
    const auto put = ::write(file.get(), text.data() + done, text.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed("write " + place.name, errno);
    done += static_cast<std::size_t>(put);
  }
  const auto put_in_place = [&] {
    const auto once = [&] {
      return ::renameat(directory, fresh.c_str(), directory, place.name.c_str()) == 0;
    };
    if (once()) return true;
    if (errno != EISDIR) return false;
    if (remove_empty(directory, place.name)) return once();
    errno = EISDIR;
    return false;
  };
  if (::fchmod(file.get(), executable ? 0755 : 0644) != 0 || ::fsync(file.get()) != 0 ||
      !put_in_place()) {
    const auto code = errno;
    ::unlinkat(directory, fresh.c_str(), 0);
    if (code == EISDIR || code == ENOTEMPTY || code == EEXIST) {
      return Error{ErrorKind::invalid_input,
                   "checkout: " + place.name +
                       " is a directory there, and what skep did not make it does not remove"};
    }
    return failed("write " + place.name, code);
  }
  return {};
}

/// Stack → path → digest of what was written for it.
using Manifest = std::map<std::string, std::map<std::string, std::string>>;

Manifest read_manifest(int root) {
  Manifest manifest;
  const auto found = read_file(root, kManifest);
  if (!found) return manifest;
  for (std::size_t begin = 0; begin < found->text.size();) {
    const auto end = std::min(found->text.find('\n', begin), found->text.size());
    const auto line = found->text.substr(begin, end - begin);
    const auto first = line.find('\t');
    const auto second = line.find('\t', first + 1);
    if (first != std::string::npos && second != std::string::npos)
      manifest[line.substr(first + 1, second - first - 1)][line.substr(second + 1)] =
          line.substr(0, first);
    begin = end + 1;
  }
  return manifest;
}

Result<void> write_manifest(int root, const Manifest& manifest) {
  std::string text;
  for (const auto& [stack, files] : manifest) {
    for (const auto& [path, digest] : files) text += digest + '\t' + stack + '\t' + path + '\n';
  }
  return replace_file({Descriptor(::fcntl(root, F_DUPFD_CLOEXEC, 0)), kManifest}, text, false);
}

bool has_control_characters(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) return true;
  }
  return false;
}

/// Whether a file had to be written.
Result<bool> put(int root, const ports::CheckoutFile& file) {
  if (has_control_characters(file.path.text()) || file.path.is_root() ||
      file.path.text() == kManifest) {
    return Error{ErrorKind::invalid_input, "checkout: a file of this name cannot be kept there"};
  }
  const auto place = place_of(root, file.path, true);
  if (!place) return place.error();
  const auto found = read_file((*place)->directory.get(), (*place)->name);
  if (found && found->text == file.text && found->executable == file.executable) return false;
  auto written = replace_file(**place, file.text, file.executable);
  if (!written) return std::move(written).error();
  return true;
}

/// Whether a file at `path` leaves no room for one of the files: the path, or what is on the way to
/// it, would have to be a file and a directory at once.
bool is_in_the_way(const std::string& path, const std::map<std::string, std::string>& files) {
  const auto below = files.lower_bound(path + '/');
  if (below != files.end() && below->first.starts_with(path + '/')) return true;
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (files.count(path.substr(0, slash)) != 0) return true;
  }
  return false;
}

/// Whether it was still there as it was written; what somebody changed stays.
Result<bool> take_away(int root, const std::string& path, const std::string& digest) {
  const auto where = RepoPath::parse(path);
  if (!where || where->is_root()) return false;
  const auto place = place_of(root, *where, false);
  if (!place || !*place) return false;
  const auto found = read_file((*place)->directory.get(), (*place)->name);
  if (!found || sha256_hex(found->text) != digest) return false;
  if (::unlinkat((*place)->directory.get(), (*place)->name.c_str(), 0) != 0 && errno != ENOENT)
    return failed("remove " + path, errno);
  return true;
}

}  // namespace

Result<std::size_t> FileCheckout::write(const std::string& stack,
                                        const std::vector<ports::CheckoutFile>& files) {
  const Descriptor root(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.is_open()) {
    return failed("open " + directory_ +
                      " (--host-checkout), which is to be mounted here at the "
                      "same path as on the nodes",
                  errno);
  }
  auto manifest = read_manifest(root.get());
  const auto before = manifest;
  std::map<std::string, std::string> now;
  for (const auto& file : files) now[file.path.text()] = sha256_hex(file.text);
  const auto earlier = std::exchange(manifest[stack], now);
  std::size_t changes = 0;
  const auto clear = [&](auto&& is_meant) -> Result<void> {
    for (const auto& [path, digest] : earlier) {
      bool wanted = false;
      for (const auto& [other, paths] : manifest) wanted = wanted || paths.count(path) != 0;
      if (wanted || !is_meant(path)) continue;
      const auto removed = take_away(root.get(), path, digest);
      if (!removed) return removed.error();
      changes += *removed ? 1U : 0U;
    }
    return {};
  };
  // A file gives way to a directory, and the other way round.
  auto cleared = clear([&](const std::string& path) { return is_in_the_way(path, now); });
  if (!cleared) return std::move(cleared).error();
  for (const auto& file : files) {
    const auto written = put(root.get(), file);
    if (!written) return written.error();
    changes += *written ? 1U : 0U;
  }
  cleared = clear([](const std::string& /*path*/) { return true; });
  if (!cleared) return std::move(cleared).error();
  if (manifest[stack].empty()) manifest.erase(stack);
  if (manifest != before) {
    auto written = write_manifest(root.get(), manifest);
    if (!written) return std::move(written).error();
  }
  return changes;
}

}  // namespace skep::gitsync
