#include "cli/masked_output.hpp"

#include <cerrno>
#include <system_error>

#include <poll.h>

namespace skep::cli {

MaskedOutput::MaskedOutput(std::ostream& stream, std::shared_ptr<const RedactionSet> set)
    : stream_(stream), target_(stream.rdbuf()), set_(std::move(set)) {
  stream_.rdbuf(this);
}

MaskedOutput::~MaskedOutput() {
  MaskedOutput::sync();
  stream_.rdbuf(target_);
}

bool MaskedOutput::write(std::string_view text) {
  const auto masked = set_->mask(text);
  const auto size = static_cast<std::streamsize>(masked.size());
  errno = 0;
  const bool written = target_->sputn(masked.data(), size) == size;
  if (!written) keep_reason();
  return written;
}

void MaskedOutput::keep_reason() {
  if (reason_ == 0) reason_ = errno == 0 ? EIO : errno;
}

Result<void> MaskedOutput::finish() {
  sync();
  if (reason_ == 0 || reason_ == EPIPE) return {};
  return Error{ErrorKind::unavailable,
               "write to standard output: " + std::generic_category().message(reason_)};
}

MaskedOutput::int_type MaskedOutput::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char byte = traits_type::to_char_type(c);
  return xsputn(&byte, 1) == 1 ? c : traits_type::eof();
}

std::streamsize MaskedOutput::xsputn(const char* text, std::streamsize size) {
  const std::string_view more(text, static_cast<std::size_t>(size));
  const auto end = more.rfind('\n');
  if (end == std::string_view::npos) {
    line_ += more;
    return size;
  }
  line_ += more.substr(0, end + 1);
  const bool written = write(line_);
  line_ = more.substr(end + 1);
  return written ? size : 0;
}

int MaskedOutput::sync() {
  const bool written = line_.empty() || write(line_);
  line_.clear();
  errno = 0;
  const bool arrived = target_->pubsync() == 0;
  if (!arrived) keep_reason();
  return written && arrived ? 0 : -1;
}

bool nobody_reads(int descriptor) {
  pollfd asked{descriptor, 0, 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace skep::cli
