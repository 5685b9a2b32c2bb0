#include "history/audit_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "core/logfmt.hpp"

namespace skep::history {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Error system_error(const std::filesystem::path& file) {
  return {ErrorKind::invalid_input,
          file.string() + ": " + std::strerror(errno)};  // NOLINT(concurrency-mt-unsafe)
}

/// Whether a file's last line has no end; false of what is no file, such as a pipe.
bool ends_within_a_line(const std::filesystem::path& file) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(file, code)) return false;
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(-1, std::ios::end);
  const auto last = stream.get();
  return stream.good() && last != '\n';
}

}  // namespace

Result<std::unique_ptr<AuditFile>> AuditFile::open(AuditOptions options,
                                                   const Clock& clock,
                                                   spdlog::logger& log) {
  std::unique_ptr<AuditFile> audit(new AuditFile(std::move(options), clock, log));
  if (auto opened = audit->reopen(); !opened) return std::move(opened).error();
  audit->writer_ = std::jthread(
      [raw = audit.get()](std::stop_token stop) { raw->write_until(std::move(stop)); });
  return audit;
}

AuditFile::AuditFile(AuditOptions options, const Clock& clock, spdlog::logger& log)
    : options_(std::move(options)), clock_(clock), log_(log) {}

AuditFile::~AuditFile() {
  writer_.request_stop();
  if (writer_.joinable()) writer_.join();
  if (fd_ >= 0) ::close(fd_);
}

void AuditFile::synced(const ports::SyncReport& report) {
  Json objects = Json::array();
  for (const auto& object : report.objects) {
    objects.push_back({{"kind", diff::word_of(object.kind)},
                       {"verb", diff::word_of(object.verb)},
                       {"name", object.name},
                       {"fields", object.fields},
                       {"error", object.error}});
  }
  put(line_of({{"time", to_rfc3339(clock_.now())},
               {"record", "operation"},
               {"stack", report.stack},
               {"who", report.actor.empty() ? report.author : report.actor},
               {"why", report.trigger},
               {"revision_from", report.revision_from},
               {"revision_to", report.revision_to},
               {"author", report.author},
               {"subject", report.subject},
               {"plan_digest", report.plan_digest},
               {"result", report.result},
               {"failed_phase", report.failed_phase},
               {"message", report.message},
               {"started", to_rfc3339(report.started)},
               {"duration_ms", report.duration.count()},
               {"objects", std::move(objects)}}));
}

void AuditFile::noted(const ports::Note& note) {
  put(line_of({{"time", to_rfc3339(clock_.now())},
               {"record", note.kind},
               {"stack", note.stack},
               {"who", note.actor},
               {"message", note.message}}));
}

bool AuditFile::flush(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return queue_.empty() && !writing_; });
}

void AuditFile::put(std::string line) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < options_.queue) {
      queue_.push_back(std::move(line));
      line.clear();
    }
  }
  changed_.notify_all();
  if (!line.empty()) options_.failed();
}

void AuditFile::write_until(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, stop, [this] { return !queue_.empty(); });
    if (queue_.empty()) return;
    const auto line = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    lock.unlock();
    const auto written = write(line);
    if (!written) options_.failed();
    if (!written && !troubled_) {
      log_.error(logfmt("the audit file cannot be written; its lines are lost",
                        {{"error", written.error().message}}));
    }
    if (written && troubled_)
      log_.info(logfmt("the audit file is written again", {{"file", options_.file.string()}}));
    troubled_ = !written;
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

Result<void> AuditFile::reopen() {
  const int fd = ::open(options_.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_error(options_.file);
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  torn_ = ends_within_a_line(options_.file);
  return {};
}

// Whoever rotates moves the file away and tells nobody: the name is looked up for each line.
Result<void> AuditFile::write(const std::string& line) {
  struct stat named {
  }, held{};
  const bool same = fd_ >= 0 && ::stat(options_.file.c_str(), &named) == 0 &&
                    ::fstat(fd_, &held) == 0 && named.st_ino == held.st_ino &&
                    named.st_dev == held.st_dev;
  if (!same) {
    if (auto opened = reopen(); !opened) return opened;
  }
  const auto text = (torn_ ? "\n" : "") + line;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto count = ::write(fd_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return system_error(options_.file);
    torn_ = rest.at(static_cast<std::size_t>(count) - 1) != '\n';
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace skep::history
