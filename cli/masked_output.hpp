#pragma once

#include <memory>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

#include "core/redaction.hpp"
#include "core/result.hpp"

namespace skep::cli {

/// Stands between a stream and the terminal, file or pipe behind it, and masks what the redaction
/// set knows; line by line, so that nothing is cut in two. Not for several threads, as the stream.
class MaskedOutput final : public std::streambuf {
 public:
  /// `stream` outlives this; it gets its own buffer back at the end.
  MaskedOutput(std::ostream& stream, std::shared_ptr<const RedactionSet> set);
  ~MaskedOutput() override;
  MaskedOutput(const MaskedOutput&) = delete;
  MaskedOutput& operator=(const MaskedOutput&) = delete;

  /// Writes what is left. Errors: unavailable where something of all that was written did not
  /// arrive, a full disk for one. A reader that closed its end has what it wanted.
  Result<void> finish();

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  bool write(std::string_view text);
  void keep_reason();

  std::ostream& stream_;
  std::streambuf* target_;
  std::shared_ptr<const RedactionSet> set_;
  std::string line_;  ///< What has no line end yet.
  int reason_ = 0;    ///< `errno` of the first writing that failed.
};

/// Whether the other end of a pipe or socket was closed: whoever waits for something to write would
/// learn of it only then.
[[nodiscard]] bool nobody_reads(int descriptor);

}  // namespace skep::cli
