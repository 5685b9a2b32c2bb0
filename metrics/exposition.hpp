#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace prometheus {
class Histogram;
}

namespace skep::metrics {

/// Writes families one after another. Only some thousand series are held as objects at a time, so a
/// scrape of 100,000 costs little more memory than its text.
class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// `size_hint`: about how long the text will be.
  explicit Exposition(std::size_t size_hint = 0);
  ~Exposition();
  Exposition(const Exposition&) = delete;
  Exposition& operator=(const Exposition&) = delete;
  Exposition(Exposition&&) = delete;
  Exposition& operator=(Exposition&&) = delete;

  void counter(std::string_view name, std::string_view help);
  void gauge(std::string_view name, std::string_view help);
  void histogram(std::string_view name, std::string_view help);

  /// A series of the family that was begun last.
  void value(double value, Labels labels = {});
  void distribution(const prometheus::Histogram& histogram, Labels labels);

  [[nodiscard]] std::string text() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace skep::metrics
