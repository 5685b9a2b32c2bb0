#include "core/finding.hpp"

#include <algorithm>
#include <tuple>

namespace skep {
namespace {

/// Letters put in, left out, changed, or two neighbours swapped ("prots").
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1), last, before_last;
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = std::move(last);
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

/// camelCase, kebab-case and snake_case spellings of one word are the same word.
std::string folded(std::string_view word) {
  std::string text;
  for (const char c : word) {
    if (c == '_' || c == '-' || c == ' ') continue;
    text += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

}  // namespace

bool has_errors(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& f) {
    return f.severity == Finding::Severity::error;
  });
}

void sort_and_unique(Findings& findings) {
  const auto key = [](const Finding& f) {
    return std::tie(f.at.file, f.at.line, f.at.column, f.severity, f.message);
  };
  std::stable_sort(findings.begin(), findings.end(), [&](const Finding& a, const Finding& b) {
    return key(a) < key(b);
  });
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
}

std::string to_string(const Findings& findings) {
  std::string text;
  for (const auto& finding : findings) {
    if (!text.empty()) text += "\n";
    const auto position = to_string(finding.at);
    if (!position.empty()) text += position + ": ";
    text += finding.severity == Finding::Severity::error ? "error: " : "warning: ";
    if (!finding.stack.empty() && finding.at.file != finding.stack &&
        !finding.at.file.starts_with(finding.stack + "/"))
      text += "stack " + finding.stack + ": ";
    text += finding.message;
  }
  return text;
}

Error to_error(const Findings& findings) {
  Error error{ErrorKind::invalid_input, "", {}};
  for (const auto& finding : findings) {
    if (finding.severity != Finding::Severity::error) continue;
    if (!error.at) {
      error.at = finding.at;
      error.message = finding.message;
    } else {
      error.message += "\n" + to_string(finding.at) + ": " + finding.message;
    }
  }
  return error;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto distance = folded(word) == folded(candidate) ? 0 : edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace skep
