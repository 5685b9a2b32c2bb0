#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "gitsync/options.hpp"

namespace skep::gitsync {

/// What the parent asks of the fetching child; goes through its standard input as JSON.
struct FetchRequest {
  RemoteUrl url;
  std::string ref;
  std::filesystem::path directory;  ///< Of this remote, below the state directory; exists.
  std::string slot;                 ///< Names this ref's keep-alive ref in the mirror: hex.
  Credentials credentials;
  FetchLimits limits;
  std::string previous_commit;  ///< The last good one; "" for none.
  std::string previous_id;      ///< What the remote's ref pointed to then; "" for none.
  bool allow_rewind = false;
  std::string allowed_commit = {};  ///< As allow_rewind, for this one only; "" for none.
  /// Nothing is fetched: all that the mirror keeps goes into one pack. The answer is empty.
  bool compact = false;
};

struct FetchAnswer {
  std::string commit;        ///< Full id; in the mirror, with its whole tree.
  std::string remote_id;     ///< What the remote's ref points to: differs for an annotated tag.
  bool downloaded = false;   ///< False where the remote had nothing new.
  bool fast_forward = true;  ///< The commit is the previous one or descends from it.
  std::uint64_t received_bytes = 0;
  /// Why `commit`, which does not descend from the previous one, is not taken; "" where it is.
  std::string refusal = {};
};

[[nodiscard]] std::string to_json(const FetchRequest& request);
/// Errors: invalid_input; never with the text in it.
[[nodiscard]] Result<FetchRequest> parse_request(std::string_view json);

[[nodiscard]] std::string to_json(const Result<FetchAnswer>& answer);
/// The child's answer or the error that it met. Errors also: unavailable where the text is no
/// answer.
[[nodiscard]] Result<FetchAnswer> parse_answer(std::string_view json);

}  // namespace skep::gitsync
