#include "gitsync/fetch_child.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <new>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gitsync/git2.hpp"
#include "gitsync/host_key_types.hpp"
#include "gitsync/known_hosts.hpp"
#include "gitsync/library.hpp"
#include "gitsync/mirror.hpp"
#include "gitsync/remote.hpp"

namespace skep::gitsync {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestRequest = 16U * 1024U * 1024U;

// A sanitizer's shadow memory alone is terabytes of address space.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// Held from start to end, so that two fetches of one remote wait for each other. The kernel frees
/// it with the process.
class FileLock {
 public:
  explicit FileLock(const fs::path& file)
      : number_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    while (number_ >= 0 && ::flock(number_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      ::close(number_);
      number_ = -1;
    }
  }
  ~FileLock() {
    if (number_ >= 0) ::close(number_);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  [[nodiscard]] bool is_held() const { return number_ >= 0; }

 private:
  int number_;
};

/// Failed, and whether the mirror may be the reason: then a new one is worth a try.
struct Failure {
  Error error;
  bool mirror_suspect = false;
};

fs::path home_of(const FetchRequest& request) { return request.directory / "home"; }

/// libgit2 insists on a home directory for ssh and reads .ssh/known_hosts there, to ask the server
/// for a key type that it lists. It gets one of our own, with nothing else in it: lines of this
/// host only, for libssh2 refuses a whole file for one line that it cannot read. Whether the key is
/// trusted is decided in trust.cpp.
Result<void> make_home(const FetchRequest& request) {
  const auto home = home_of(request);
  std::error_code error;
  fs::remove_all(home, error);
  fs::create_directories(home / ".ssh", error);
  if (error)
    return Error{ErrorKind::unavailable, "the directory " + home.string() + " cannot be written"};
  ::setenv("HOME", home.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): the child has one thread
  return {};
}

/// Tries one type of host key after the other, until the host shows one that is trusted.
Result<std::unique_ptr<Remote>> connect_over_ssh(const Mirror& mirror,
                                                 const FetchRequest& request) {
  const auto& credentials = request.credentials;
  const bool pinned = !credentials.host_key_fingerprints.empty();
  const auto file = home_of(request) / ".ssh" / "known_hosts";
  std::optional<Error> refused;
  std::map<std::string, std::string> shown;  ///< Types by fingerprint.
  for (const auto& lines : known_hosts_to_try(credentials, request.url)) {
    std::ofstream out(file, std::ios::binary);
    out << lines;
    out.close();
    if (!out) return Error{ErrorKind::unavailable, file.string() + " cannot be written"};
    HostKeyTry tried;
    auto remote =
        Remote::connect(mirror.repository(), request.url, credentials, request.limits, &tried);
    if (remote) return remote;
    const bool another_may_do = tried.no_common_type || (pinned && tried.refused);
    if (!another_may_do) return remote;
    if (tried.refused) shown.emplace(fingerprint(*tried.refused), tried.refused->type);
    // With pins the first is the key that the host shows to everybody, without them the last.
    if (!refused || !pinned) refused = std::move(remote).error();
  }
  if (shown.size() > 1) {
    refused->message += "; all that it shows:";
    for (const auto& [print, type] : shown) refused->message += " " + type + " " + print;
  }
  return *std::move(refused);
}

class Fetch {
 public:
  Fetch(const FetchRequest& request, fs::path mirror)
      : request_(request), path_(std::move(mirror)) {}

  Result<FetchAnswer> run(bool& mirror_suspect) {
    mirror_suspect = true;
    auto opened = Mirror::open(path_);
    if (!opened) return std::move(opened).error();
    const Mirror& mirror = *opened;
    mirror_suspect = false;
    if (is_commit_id(request_.ref) && request_.previous_commit == request_.ref)
      if (auto answer = unchanged(mirror, request_.ref)) return *std::move(answer);
    auto remote =
        request_.url.scheme() == RemoteUrl::Scheme::ssh
            ? connect_over_ssh(mirror, request_)
            : Remote::connect(
                  mirror.repository(), request_.url, request_.credentials, request_.limits);
    if (!remote) return std::move(remote).error();
    auto wanted = pick(request_.ref, (*remote)->head(), (*remote)->refs());
    if (!wanted) return std::move(wanted).error();
    if (wanted->id == request_.previous_id)
      if (auto answer = unchanged(mirror, wanted->id)) return *std::move(answer);
    auto received = (*remote)->download(wanted->refspecs);
    if (!received) return std::move(received).error();
    return take(mirror, **remote, *wanted, *received, mirror_suspect);
  }

 private:
  [[nodiscard]] std::string tip() const { return request_.slot + "/tip"; }

  /// Nothing where the mirror does not hold all of the previous commit any more.
  std::optional<FetchAnswer> unchanged(const Mirror& mirror, const std::string& remote_id) const {
    const auto commit = parse_oid(request_.previous_commit);
    if (!commit || !mirror.check_tree(*commit, request_.limits)) return std::nullopt;
    return FetchAnswer{.commit = request_.previous_commit, .remote_id = remote_id};
  }

  Result<FetchAnswer> take(const Mirror& mirror,
                           const Remote& remote,
                           const Wanted& wanted,
                           std::uint64_t received,
                           bool& mirror_suspect) const {
    const auto id = parse_oid(wanted.id);
    if (!id) return id.error();
    if (is_commit_id(request_.ref))
      if (auto found = is_reachable(mirror, remote, *id); !found) return std::move(found).error();
    auto commit = mirror.commit_of(*id);
    if (!commit) {
      mirror_suspect = commit.error().kind == ErrorKind::unavailable;
      return std::move(commit).error().within(wanted.label);
    }
    if (auto checked = mirror.check_tree(*commit, request_.limits); !checked) {
      mirror_suspect = checked.error().kind == ErrorKind::unavailable;
      return std::move(checked).error().within(wanted.label);
    }
    FetchAnswer answer{.commit = to_hex(*commit),
                       .remote_id = wanted.id,
                       .downloaded = true,
                       .fast_forward = true,
                       .received_bytes = received};
    if (const auto previous = parse_oid(request_.previous_commit)) {
      if (mirror.has_lost(tip())) {  // then it cannot tell what descends from what
        mirror_suspect = true;
        return Error{ErrorKind::unavailable, "the mirror is damaged"};
      }
      auto descends = mirror.descends(*commit, *previous);
      if (!descends) {
        mirror_suspect = true;
        return std::move(descends).error();
      }
      answer.fast_forward = *descends;
    }
    const bool allowed = request_.allow_rewind || answer.commit == request_.allowed_commit;
    if (!answer.fast_forward && !allowed) {
      answer.refusal = "the history of " + wanted.label +
                       " was rewritten: " + answer.commit.substr(0, 12) +
                       " does not descend from " + request_.previous_commit.substr(0, 12) +
                       ", the last good one, which stays in force; if this is meant, "
                       "`skep approve --history` accepts it (or --allow-rewind, for always)";
      return answer;
    }
    if (auto kept = mirror.keep(tip(), *commit); !kept) return std::move(kept).error();
    return answer;
  }

  /// A git host also keeps commits of forks and of deleted branches: only what a branch or tag
  /// leads to counts.
  Result<void> is_reachable(const Mirror& mirror, const Remote& remote, const git_oid& id) const {
    std::vector<git_oid> tips;
    for (const auto& ref : remote.refs()) {
      if (ref.name.compare(0, 11, "refs/heads/") != 0 && ref.name.compare(0, 10, "refs/tags/") != 0)
        continue;
      const auto object = parse_oid(ref.id);
      if (!object) continue;
      const auto commit = mirror.commit_of(*object);
      if (!commit) continue;  // a tag of something else
      tips.push_back(*commit);
    }
    int reachable = 0;
    if (mirror.has(id) && !tips.empty())
      reachable = git_graph_reachable_from_any(mirror.repository(), &id, tips.data(), tips.size());
    if (reachable < 0) return git_error_of(reachable, "history");
    if (reachable == 0)
      return Error{ErrorKind::invalid_input,
                   "commit " + to_hex(id) + " is in none of the remote's branches and tags"};
    return {};
  }

  const FetchRequest& request_;
  const fs::path path_;
};

Result<FetchAnswer> compact(const fs::path& path) {
  const Library library;
  const auto mirror = Mirror::open(path);
  if (!mirror) return mirror.error();
  if (auto done = mirror->compact(); !done) return std::move(done).error();
  return FetchAnswer{};
}

Result<std::string> read_request() {
  std::string text;
  char chunk[16384];
  for (;;) {
    const auto count = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (count == 0) return text;
    if (count < 0) {
      if (errno == EINTR) continue;
      return Error{ErrorKind::unavailable, "the fetch request cannot be read"};
    }
    text.append(chunk, static_cast<std::size_t>(count));
    if (text.size() > kLargestRequest)
      return Error{ErrorKind::invalid_input, "the fetch request is too large"};
  }
}

void set_limit(int resource, rlim_t bytes) {
  const rlimit limit{bytes, bytes};
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

void restrict_process(const FetchLimits& limits) {
  ::umask(0077);
  set_limit(RLIMIT_CORE, 0);  // it holds credentials
  // An index has some 40 bytes per object, so this bounds both files of a pack.
  set_limit(RLIMIT_FSIZE, limits.pack_bytes + limits.objects * 40 + 1024U * 1024U);
  ::signal(SIGXFSZ, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  if (limits.memory_bytes != 0 && !kSanitized) set_limit(RLIMIT_AS, limits.memory_bytes);
}

Result<FetchAnswer> answer_request() {
  auto text = read_request();
  if (!text) return std::move(text).error();
  auto request = parse_request(*text);
  if (!request) return std::move(request).error();
  restrict_process(request->limits);
  try {
    return fetch_into_mirror(*request);
  } catch (const std::bad_alloc&) {
    return Error{ErrorKind::unavailable,
                 "the fetch needs more than " + std::to_string(request->limits.memory_bytes) +
                     " bytes of memory, the limit"};
  }
}

}  // namespace

fs::path mirror_path(const fs::path& directory) { return directory / "mirror.git"; }

Result<FetchAnswer> fetch_into_mirror(const FetchRequest& request) {
  const FileLock lock(request.directory / "lock");
  if (!lock.is_held())
    return Error{ErrorKind::unavailable,
                 "the lock in " + request.directory.string() +
                     " cannot be taken: " + std::generic_category().message(errno)};
  const auto path = mirror_path(request.directory);
  if (request.compact) return compact(path);
  // Before libgit2 starts, which looks the home directory up once.
  if (request.url.scheme() == RemoteUrl::Scheme::ssh)
    if (auto made = make_home(request); !made) return std::move(made).error();
  const Library library;
  if (!request.credentials.ca_file.empty())
    if (auto set = call("the CA file " + request.credentials.ca_file,
                        git_libgit2_opts,
                        static_cast<int>(GIT_OPT_SET_SSL_CERT_LOCATIONS),
                        request.credentials.ca_file.c_str(),
                        static_cast<const char*>(nullptr));
        !set)
      return Error{ErrorKind::unauthorized, set.error().message};
  bool mirror_suspect = false;
  auto answer = Fetch(request, path).run(mirror_suspect);
  if (answer || !mirror_suspect) return answer;
  // The mirror is a copy: where it is damaged, a new one mends that. It takes the old one's place
  // only when it is complete, so that whoever reads the old one meanwhile can go on.
  const auto fresh = request.directory / "mirror.new.git";
  const auto old = request.directory / "mirror.old.git";
  std::error_code error;
  fs::remove_all(fresh, error);
  answer = Fetch(request, fresh).run(mirror_suspect);
  if (answer) {
    fs::remove_all(old, error);
    fs::rename(path, old, error);
    fs::rename(fresh, path, error);
    if (error)
      return Error{ErrorKind::unavailable,
                   "the new mirror cannot be put in place: " + error.message()};
  }
  fs::remove_all(answer ? old : fresh, error);
  return answer;
}

int fetch_child_main() {
  // Asked for by the child itself: the parent starts it by posix_spawn. Where the parent is gone
  // already, our input is closed, and the request ends too early to be one.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string text = to_json(answer_request());
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto count = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return 1;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace skep::gitsync
