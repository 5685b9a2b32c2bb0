#include <array>

#include "notify/target.hpp"

namespace skep::notify {
namespace {

/// How a chat wants its messages, as data: the same language as a stack's templates. `headers` and
/// `body` in the settings can change any of it. `.text` is no longer than the chat takes.
struct ChatTemplate {
  std::string_view type, body;
};

constexpr std::array<ChatTemplate, 6> kTemplates = {{
    // An Adaptive Card in a message, as workflows of Teams take it from a webhook.
    {"teams", R"({
  "type": "message",
  "attachments": [{
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {
      "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
      "type": "AdaptiveCard",
      "version": "1.4",
      "body": [
        {"type": "TextBlock", "weight": "Bolder", "size": "Medium", "wrap": true,
         "color": {{ if eq .severity "problem" }}"Attention"{{ else if eq .severity "good" }}"Good"{{ else }}"Warning"{{ end }},
         "text": {{ toRawJson .title }}},
        {"type": "TextBlock", "wrap": true, "fontType": "Monospace", "text": {{ toRawJson .text }}}
      ]
    }
  }]
}
)"},
    {"discord", R"({
  "username": "skep",
  "allowed_mentions": {"parse": []},
  "embeds": [{
    "title": {{ toRawJson (trunc 250 .title) }},
    "description": {{ toRawJson (printf "```\n%s```" .text) }},
{{- with (index .stacks 0).link }}
    "url": {{ toRawJson . }},
{{- end }}
    "color": {{ if eq .severity "problem" }}13632027{{ else if eq .severity "good" }}4289797{{ else }}16098851{{ end }},
    "timestamp": {{ toRawJson .at }}
  }]
}
)"},
    {"matrix", R"({
  "msgtype": "m.text",
  "body": {{ toRawJson (printf "%s\n%s" .title .text) }}
}
)"},
    // Without parse_mode: what a task prints is no markup.
    {"telegram", R"({
  "chat_id": {{ toRawJson .target.chat_id }},
  "disable_web_page_preview": true,
  "text": {{ toRawJson (printf "%s\n%s" .title .text) }}
}
)"},
    {"ntfy", R"({
  "topic": {{ toRawJson .target.topic }},
  "title": {{ toRawJson .title }},
  "message": {{ toRawJson .text }},
  "priority": {{ if eq .severity "problem" }}4{{ else }}3{{ end }},
  "tags": [{{ if eq .severity "problem" }}"rotating_light"{{ else if eq .severity "good" }}"white_check_mark"{{ else }}"warning"{{ end }}]
}
)"},
    {"gotify", R"({
  "title": {{ toRawJson .title }},
  "message": {{ toRawJson .text }},
  "priority": {{ if eq .severity "problem" }}8{{ else }}4{{ end }}
}
)"},
}};

}  // namespace

std::vector<std::string> target_types() {
  std::vector<std::string> types = {"webhook", "slack", "alertmanager"};
  for (const auto& one : kTemplates) types.emplace_back(one.type);
  return types;
}

std::string_view template_of(std::string_view type) {
  for (const auto& one : kTemplates) {
    if (one.type == type) return one.body;
  }
  return {};
}

}  // namespace skep::notify
