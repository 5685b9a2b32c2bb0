#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reconciler/ports/observer.hpp"

namespace skep::notify {

/// What stands beside a commit at its git host.
enum class CommitState {
  pending,  ///< On its way.
  success,  ///< What the commit says ran, and was healthy.
  failure,  ///< It does not, and git or the swarm must change.
  left,     ///< It was not carried out, and that is somebody's will: held, suspended, manual, a
            ///< closed window, a newer commit. Final as far as skep is concerned.
};

/// For logs and the book: "pending".
[[nodiscard]] std::string_view to_string(CommitState state);

/// One of them. `context` is its name at the host.
struct CommitStatus {
  std::string context;
  CommitState state = CommitState::pending;
  std::string words;  ///< One line, not yet shortened to what the host takes.
  std::string stack;  ///< "group/name"; "" for the one of all.
  bool operator==(const CommitStatus&) const = default;
};

/// How one stack stands towards the commit that git has.
struct StackVerdict {
  std::string stack;  ///< "group/name"
  CommitState state = CommitState::pending;
  std::string words;
  bool concerned = false;  ///< The commit changed it, or it does not run as the commit says.
  bool gone = false;       ///< The commit took it away, and that is done.
  bool moving = false;     ///< An operation goes on, which has a deadline of its own.
  /// What a pending one becomes where nothing moves any more.
  CommitState otherwise = CommitState::left;
  bool operator==(const StackVerdict&) const = default;
};

[[nodiscard]] StackVerdict verdict_of(const ports::StackStatus& stack);

/// The statuses of a commit, the one of all first: `context`, and "CONTEXT/GROUP/NAME" for each
/// stack that the commit concerns. Where that is more than `most` only those that failed get one of
/// their own, for hosts count calls. With `stuck` nothing moved for long: what is pending ends.
[[nodiscard]] std::vector<CommitStatus> statuses_of(const std::vector<StackVerdict>& stacks,
                                                    const std::string& context,
                                                    std::size_t most,
                                                    bool stuck);

/// On one line, without control characters and those that turn the direction of text.
[[nodiscard]] std::string one_line(std::string_view text);
/// At most `most` characters (not bytes), the last an ellipsis where some had to go; what is no
/// UTF-8 is replaced.
[[nodiscard]] std::string at_most(std::string_view text, std::size_t most);

}  // namespace skep::notify
