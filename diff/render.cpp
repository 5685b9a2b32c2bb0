#include "diff/render.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "diff/impact.hpp"
#include "diff/report.hpp"
#include "diff/words.hpp"
#include "swarm/image_ref.hpp"

namespace skep::diff {

std::string_view word_of(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::network:
      return "network";
    case ObjectKind::secret:
      return "secret";
    case ObjectKind::config:
      return "config";
    case ObjectKind::service:
      return "service";
  }
  return "";
}

std::string_view word_of(Verb verb) {
  switch (verb) {
    case Verb::create:
      return "create";
    case Verb::update:
      return "update";
    case Verb::remove:
      return "remove";
    case Verb::replace:
      return "replace";
  }
  return "";
}

std::string_view word_of(Impact impact) {
  switch (impact) {
    case Impact::none:
      return "none";
    case Impact::start:
      return "start";
    case Impact::restart:
      return "restart";
    case Impact::scale:
      return "scale";
    case Impact::stop:
      return "stop";
    case Impact::rerun:
      return "rerun";
  }
  return "";
}

std::string_view word_of(Note::Severity severity) {
  switch (severity) {
    case Note::Severity::info:
      return "info";
    case Note::Severity::warning:
      return "warning";
    case Note::Severity::blocked:
      return "blocked";
  }
  return "";
}

char sign_of(Verb verb) {
  switch (verb) {
    case Verb::create:
      return '+';
    case Verb::remove:
      return '-';
    case Verb::update:
    case Verb::replace:
      break;
  }
  return '~';
}

char sign_of(FieldChange::Kind kind) {
  switch (kind) {
    case FieldChange::Kind::added:
      return '+';
    case FieldChange::Kind::removed:
      return '-';
    case FieldChange::Kind::changed:
      break;
  }
  return '~';
}

std::string count_of_changes(const Plan& plan) {
  const auto count = plan.actions.size();
  if (count == 0) return "no changes";
  return std::to_string(count) + (count == 1 ? " change" : " changes");
}

namespace {

constexpr std::string_view kArrow = " \u2192 ";
constexpr std::string_view kDot = " \u00b7 ";
constexpr std::size_t kWidestItems = 100;  ///< Items of one field on one line up to here.
constexpr std::size_t kWidestValue = 300;

/// Columns that a text takes: UTF-8 sequences count once.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string padded(std::string text, std::size_t columns) {
  const auto taken = width(text);
  if (taken < columns) text.append(columns - taken, ' ');
  return text;
}

std::string shown(std::string_view value) {
  auto text = printable(value);
  if (text.size() <= kWidestValue) return text;
  auto end = kWidestValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "\u2026";
}

std::string short_digest(const std::string& digest) {
  return digest.size() > 19 ? digest.substr(0, 19) : digest;  // "sha256:" and 12 digits.
}

/// Only what differs is said twice: the tag of one repository, or the digest of one tag.
std::string image_change(const FieldChange& change) {
  const auto [before, before_digest] = swarm::split_digest(change.before);
  const auto [after, after_digest] = swarm::split_digest(change.after);
  if (before == after) {
    const auto digest = [](const std::string& text) {
      return text.empty() ? std::string("not pinned") : short_digest(text);
    };
    return before + " (" + digest(before_digest) + std::string(kArrow) + digest(after_digest) + ")";
  }
  const auto tag_at = [](const std::string& text) {
    const auto colon = text.rfind(':');
    const auto slash = text.rfind('/');
    const bool is_tag = colon != std::string::npos && (slash == std::string::npos || colon > slash);
    return is_tag ? colon : text.size();
  };
  const auto old_tag = tag_at(before);
  const auto new_tag = tag_at(after);
  if (new_tag < after.size() && before.substr(0, old_tag) == after.substr(0, new_tag))
    return before + std::string(kArrow) + after.substr(new_tag + 1);
  return before + std::string(kArrow) + after;
}

std::string value_change(const FieldChange& change) {
  if (change.path == "image" && change.kind == FieldChange::Kind::changed && !change.secret)
    return image_change(change);
  if (change.secret) {
    switch (change.kind) {
      case FieldChange::Kind::added:
        return "(secret value set)";
      case FieldChange::Kind::removed:
        return "(secret value removed)";
      case FieldChange::Kind::changed:
        return "(secret value changed)";
    }
  }
  switch (change.kind) {
    case FieldChange::Kind::added:
      return shown(change.after);
    case FieldChange::Kind::removed:
      return shown(change.before);
    case FieldChange::Kind::changed:
      break;
  }
  return shown(change.before) + std::string(kArrow) + shown(change.after);
}

/// What stands behind the field's name.
std::string item_text(const FieldChange& change) {
  const std::string sign(1, sign_of(change.kind));
  if (change.item.empty()) {
    if (change.kind == FieldChange::Kind::changed) return value_change(change);
    return sign + " " + value_change(change);
  }
  const auto item = shown(change.item);
  const auto value = value_change(change);
  if (value == item) return sign + " " + item;  // An element is its own name.
  if (change.secret) return sign + " " + item + " " + value;
  if (change.path == "environment" && value == "(unset)") return sign + " " + item;
  const bool assigned = change.path == "environment" || change.path == "labels" ||
                        change.path == "deploy.labels" || change.path == "sysctls" ||
                        change.path == "logging.options" || change.path == "driver_opts";
  return sign + " " + item + (assigned ? "=" : ": ") + value;
}

/// The changed fields, each with all its items.
std::vector<std::pair<std::string, std::vector<std::string>>> fields_of(const Action& action) {
  std::vector<std::pair<std::string, std::vector<std::string>>> fields;
  for (const auto& change : action.changes) {
    const auto path = shown(change.path);
    if (fields.empty() || fields.back().first != path)
      fields.push_back(std::pair(path, std::vector<std::string>()));
    fields.back().second.push_back(item_text(change));
  }
  return fields;
}

std::string tail_of(const Action& action) {
  std::string text = action.reason;
  const auto add = [&](std::string_view part) {
    if (!text.empty()) text += kDot;
    text += part;
  };
  if (action.verb == Verb::replace) add("removed and created again");
  if (action.verb == Verb::update && action.kind == ObjectKind::service) {
    if (action.impact == Impact::none) add("no task is touched");
    if (action.impact == Impact::rerun) add("the job runs again");
  }
  return printable(text);
}

struct Paint {
  bool color;
  [[nodiscard]] std::string sign(char c) const {
    const std::string text(1, c);
    if (!color) return text;
    const char* code = c == '+' ? "32" : c == '-' ? "31" : "33";
    return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
  }
  [[nodiscard]] std::string bold(const std::string& text) const {
    return color ? "\x1b[1m" + text + "\x1b[0m" : text;
  }
};

/// The lines below the heading.
std::string body(const Plan& plan, const Paint& paint, std::string_view indent) {
  std::size_t name_columns = 0;
  const auto name_of = [](const Action& action) {
    return printable(action.kind == ObjectKind::service ? action.key : action.name);
  };
  for (const auto& action : plan.actions) {
    if (!tail_of(action).empty()) name_columns = std::max(name_columns, width(name_of(action)));
  }
  std::string text;
  for (const auto& action : plan.actions) {
    const auto tail = tail_of(action);
    std::string line = std::string(indent) + paint.sign(sign_of(action.verb)) + " " +
                       padded(std::string(word_of(action.kind)), 7) + " ";
    line += tail.empty() ? name_of(action) : padded(name_of(action), name_columns + 4) + tail;
    text += line + "\n";
    const auto fields = fields_of(action);
    std::size_t columns = 0;
    for (const auto& field : fields) columns = std::max(columns, width(field.first));
    for (const auto& [path, items] : fields) {
      std::string row = std::string(indent) + "    " + padded(path, columns) + "  ";
      const std::string blank(width(row), ' ');
      std::size_t used = 0;
      for (const auto& item : items) {
        if (used > 0 && used + width(item) > kWidestItems) {
          text += row + "\n";
          row = blank;
          used = 0;
        }
        if (used > 0) row += "   ";
        row += item;
        used += width(item) + 3;
      }
      text += row + "\n";
    }
  }
  for (const auto& note : plan.notes) {
    text += std::string(indent) + (note.severity == Note::Severity::info ? "i " : "! ");
    if (note.severity != Note::Severity::info) text += std::string(word_of(note.severity)) + ": ";
    text += printable(note.text);
    if (note.at) text += " (" + printable(to_string(*note.at)) + ")";
    text += "\n";
  }
  return text;
}

/// A restart that is no rolling one, for all tasks go together: " (all 2 tasks at once)"; "" for
/// another.
std::string all_at_once(const Plan& plan, const std::string& key) {
  const auto at = plan.desired.services.find(key);
  if (at == plan.desired.services.end()) return "";
  const auto& spec = at->second.spec;
  const auto& config = spec.update_config;
  const auto parallelism = config ? config->parallelism : 1;
  const auto count = task_count(spec);
  const bool everywhere = spec.mode.global.has_value();
  if (parallelism != 0 && (everywhere || parallelism < count)) return "";
  if (count == 0 && !everywhere) return "";
  const bool starts_first = config && config->order == "start-first";
  if (count == 1) return starts_first ? "" : " (1 task: a short downtime)";
  return (everywhere ? " (on every node at once"
                     : " (all " + std::to_string(count) + " tasks at once") +
         std::string(starts_first ? ")" : ": a short downtime)");
}

std::string tasks_of(const Plan& plan, const std::string& key) {
  const auto at = plan.desired.services.find(key);
  if (at == plan.desired.services.end()) return "";
  const auto& spec = at->second.spec;
  if (spec.mode.global || spec.mode.global_job) return " (on every node)";
  const auto count = task_count(spec);
  return " (" + std::to_string(count) + (count == 1 ? " task)" : " tasks)");
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += printable(line) + "\n";
  return text;
}

/// Inside a fence nothing is a mention, a link or a tag; the fence is longer than any run inside.
std::string fenced(std::string_view title, std::string_view headline, const std::string& text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<std::size_t>(3, longest + 1), '`');
  std::string safe_title = printable(title);
  for (char& c : safe_title) {
    if (c == '`') c = '\'';
  }
  std::string result = "**`" + safe_title + "`**";
  if (!headline.empty()) result += " " + std::string(headline);
  result += "\n";
  if (!text.empty()) result += "\n" + fence + "diff\n" + text + fence + "\n";
  return result;
}

}  // namespace

std::string summary(const Plan& plan) {
  // One group of services per consequence, in the order of how much it hurts.
  std::map<int, std::pair<std::string, std::vector<std::string>>> groups;
  const auto add = [&](int order, const std::string& words, const std::string& service) {
    auto& group = groups[order];
    group.first = words;
    group.second.push_back(service);
  };
  std::size_t objects = 0;
  for (const auto& action : plan.actions) {
    if (action.kind != ObjectKind::service) {
      ++objects;
      continue;
    }
    const auto key = printable(action.key);
    const auto with_tasks = key + tasks_of(plan, action.key);
    if (action.verb == Verb::remove) {
      add(0, "removes ", key);
    } else if (action.verb == Verb::replace) {
      add(1, "stops and starts ", with_tasks);
    } else if (action.verb == Verb::create) {
      add(6, "starts ", with_tasks);
    } else {
      switch (action.impact) {
        case Impact::restart:
        case Impact::start:
        case Impact::stop:
          if (const auto tasks = all_at_once(plan, action.key); !tasks.empty())
            add(2, "restart of ", key + tasks);
          else
            add(3, "rolling restart of ", with_tasks);
          break;
        case Impact::rerun:
          add(4, "runs again ", key);
          break;
        case Impact::scale:
          add(5, "scales ", with_tasks);
          break;
        case Impact::none:
          add(7, "no restart of ", key);
          break;
      }
    }
  }
  const auto joined = [](const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i == 6 && names.size() > 7)
        return text + " and " + std::to_string(names.size() - i) + " more";
      text += (i == 0 ? "" : ", ") + names[i];
    }
    return text;
  };
  std::string text;
  const auto append = [&](const std::string& part) {
    if (!text.empty()) text += kDot;
    text += part;
  };
  for (const auto& [order, group] : groups) append(group.first + joined(group.second));
  if (groups.empty() && objects > 0) append("no task is touched");
  if (!plan.empty() && !plan.untouched.empty()) {
    auto untouched = plan.untouched;
    for (auto& key : untouched) key = printable(key);
    append(joined(untouched) + " untouched");
  }
  if (plan.blocked()) append("blocked");
  return text;
}

std::string to_text(const Plan& plan, std::string_view title, const TextStyle& style) {
  const Paint paint{style.color};
  std::string heading = paint.bold(printable(title)) + "   " + count_of_changes(plan);
  if (const auto words = summary(plan); !words.empty()) heading += std::string(kDot) + words;
  return heading + "\n" + body(plan, paint, "  ");
}

std::string to_markdown(const Plan& plan,
                        std::string_view title,
                        const std::vector<std::string>& more) {
  auto text = body(plan, Paint{false}, "") + joined_lines(more);
  if (const auto words = summary(plan); !words.empty()) text.insert(0, words + "\n");
  return fenced(title, count_of_changes(plan), text);
}

std::string markdown(std::string_view title,
                     std::string_view headline,
                     const std::vector<std::string>& lines) {
  return fenced(title, headline, joined_lines(lines));
}

}  // namespace skep::diff
