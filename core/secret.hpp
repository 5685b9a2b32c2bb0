#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace skep {

/// Bytes that must never be shown. There is no conversion to a string: whoever needs the value says
/// reveal(), and whoever prints it gets "***". Copies share one buffer, which is wiped when the
/// last of them goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);

  [[nodiscard]] std::string_view reveal() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return reveal().empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return reveal().size(); }
  /// By content; takes the same time wherever the difference is.
  bool operator==(const Secret& other) const noexcept;

 private:
  std::shared_ptr<const std::string> value_;
};

inline std::ostream& operator<<(std::ostream& out, const Secret& /*secret*/) {
  return out << "***";
}
/// For fmt and spdlog.
inline std::string_view format_as(const Secret& /*secret*/) { return "***"; }

}  // namespace skep
