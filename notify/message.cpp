#include "notify/message.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "notify/commit_status.hpp"

namespace skep::notify {
namespace {

constexpr std::size_t kMostStories = 20;  ///< Told one by one.
constexpr std::size_t kCommitDigits = 12;
/// Characters of a sentence where all of it has to be short.
constexpr std::size_t kShorter = 300, kShortest = 100;

/// What happened to one, and to several.
std::pair<std::string_view, std::string_view> phrase_of(std::string_view reason) {
  if (reason == "failed") return {" could not be deployed", " could not be deployed"};
  if (reason == "broken") return {" cannot be read from git", " cannot be read from git"};
  if (reason == "blocked") return {" is blocked by the swarm", " are blocked by the swarm"};
  if (reason == "degraded") return {" is degraded", " are degraded"};
  if (reason == "rolled_back") return {" was rolled back", " were rolled back"};
  if (reason == "held") return {" waits for approval", " wait for approval"};
  if (reason == "contended") return {" is changed again and again", " are changed again and again"};
  if (reason == "drift") return {" was changed outside of git", " were changed outside of git"};
  if (reason == "drift_healed")
    return {": a change outside of git was undone", ": changes outside of git were undone"};
  if (reason == "unreachable") return {" cannot be reached", " cannot be reached"};
  return {" is well again", " are well again"};
}

/// What a recovery says of the trouble.
std::string_view past_of(std::string_view reason) {
  if (reason == "failed") return "could not be deployed";
  if (reason == "broken") return "could not be read from git";
  if (reason == "blocked") return "was blocked by the swarm";
  if (reason == "degraded") return "was degraded";
  if (reason == "rolled_back") return "was rolled back";
  if (reason == "held") return "waited for approval";
  if (reason == "contended") return "was changed again and again";
  if (reason == "drift") return "was changed outside of git";
  return "was in trouble";
}

void add_line(std::string& text, std::string_view what, const std::string& words) {
  if (!words.empty()) text += "  " + std::string(what) + words + "\n";
}

std::string commit_line(const Story& story) {
  if (story.revision.empty()) return {};
  auto line = story.revision.substr(0, kCommitDigits);
  if (!story.subject.empty()) line += " \"" + story.subject + "\"";
  if (!story.author.empty()) line += " by " + story.author;
  if (!story.link.empty()) line += " " + story.link;
  return line;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : "; ") + word;
  return text;
}

/// The first `count` stories.
std::string text_of_some(const Message& message, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < message.stories.size(); ++i) {
    if (i == count) {
      text += "and " + std::to_string(message.stories.size() - i) + " more\n";
      break;
    }
    const auto& story = message.stories.at(i);
    text += story.stack + (story.what.empty() ? "" : ": " + story.what) + "\n";
    for (const auto& words : story.words) {
      if (story.what.find(words) == std::string::npos) add_line(text, "the engine says: ", words);
    }
    add_line(text, "commit ", commit_line(story));
    add_line(text, "changed: ", joined(story.changes));
    add_line(text, "", story.done);
    add_line(text, "to do: ", story.remedy);
  }
  return text;
}

/// With sentences of at most so many characters, and as many lines of the engine as one reads.
Message shortened_to(Message message, std::size_t longest) {
  constexpr std::size_t kFewWords = 2;
  for (auto& story : message.stories) {
    for (auto* text : {&story.what, &story.author, &story.subject}) *text = at_most(*text, longest);
    if (story.words.size() > kFewWords) story.words.resize(kFewWords);
    for (auto& words : story.words) words = at_most(words, longest);
    if (const auto changes = joined(story.changes); changes.size() > longest)
      story.changes = {at_most(changes, longest)};
  }
  return message;
}

nlohmann::json json_of(const Story& story) {
  return {{"stack", story.stack},
          {"revision", story.revision},
          {"author", story.author},
          {"subject", story.subject},
          {"link", story.link},
          {"what", story.what},
          {"words", story.words},
          {"changes", story.changes},
          {"done", story.done},
          {"remedy", story.remedy}};
}

}  // namespace

std::string recovery_from(std::string_view reason, std::string_view stack) {
  if (reason == "unreachable") return "it can be reached again";
  if (stack == kGit) return "it can be read again";
  return "it is as git says, and healthy; before, it " + std::string(past_of(reason));
}

std::string end_of(std::string_view reason) {
  return "it left git; before, it " + std::string(past_of(reason));
}

Severity severity_of(std::string_view reason) {
  if (reason == "recovered" || reason == "drift_healed") return Severity::good;
  if (reason == "held" || reason == "drift" || reason == "contended") return Severity::notice;
  return Severity::problem;
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::good:
      return "good";
    case Severity::notice:
      return "notice";
    case Severity::problem:
      break;
  }
  return "problem";
}

std::string title_of(const Message& message) {
  const bool gone = std::all_of(message.stories.begin(),
                                message.stories.end(),
                                [](const Story& story) { return story.gone; });
  const auto [one, several] =
      gone ? std::pair<std::string_view, std::string_view>(" left git", " left git")
           : phrase_of(message.reason);
  const auto named = !message.instance.empty() && message.instance != "default";
  const auto cluster = named ? message.instance + ": " : std::string();
  if (message.stories.size() == 1) {
    const auto& stack = message.stories.front().stack;
    const bool whole = stack == kGit && message.reason == "broken";
    return cluster + stack + (whole ? " has a commit that cannot be read" : std::string(one));
  }
  return cluster + std::to_string(message.stories.size()) + " stacks" + std::string(several);
}

std::string text_of(const Message& message) { return text_of_some(message, kMostStories); }

std::string text_within(const Message& message,
                        const std::function<bool(const std::string&)>& fits) {
  auto text = text_of(message);
  if (fits(text)) return text;
  Message shorter;
  for (const auto longest : {kShorter, kShortest}) {
    shorter = shortened_to(message, longest);
    text = text_of(shorter);
    if (fits(text)) return text;
  }
  for (auto count = kMostStories; count > 1 && !fits(text); --count)
    text = text_of_some(shorter, count - 1);
  return text;
}

std::vector<Story> stories_of(std::string_view json) {
  const auto message = nlohmann::json::parse(json);
  std::vector<Story> stories;
  for (const auto& one : message.at("stacks")) {
    stories.push_back({one.at("stack"),
                       one.at("revision"),
                       one.at("author"),
                       one.at("subject"),
                       one.at("link"),
                       one.at("what"),
                       one.at("words"),
                       one.at("changes"),
                       one.at("done"),
                       one.at("remedy")});
  }
  return stories;
}

std::string to_json(const Message& message, const std::string& id) {
  nlohmann::json stories = nlohmann::json::array();
  for (const auto& story : message.stories) stories.push_back(json_of(story));
  const nlohmann::json body = {{"id", id},
                               {"instance", message.instance},
                               {"at", to_rfc3339(message.at)},
                               {"reason", message.reason},
                               {"severity", to_string(severity_of(message.reason))},
                               {"title", title_of(message)},
                               {"text", text_of(message)},
                               {"stacks", std::move(stories)}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace skep::notify
