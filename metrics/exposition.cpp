#include "metrics/exposition.hpp"

#include <sstream>
#include <vector>

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace skep::metrics {
namespace {

constexpr std::size_t kSeriesInMemory = 2048;

void set_labels(prometheus::ClientMetric& metric, Exposition::Labels labels) {
  metric.label.reserve(labels.size());
  for (const auto& [name, value] : labels) {
    metric.label.push_back({std::string(name), std::string(value)});
  }
}

}  // namespace

struct Exposition::State {
  void begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
    flush();
    families.clear();
    auto& family = families.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
    head_written = false;
  }

  // The serializer writes "# HELP" and "# TYPE" each time; a family that comes in several parts has
  // them once.
  void flush() {
    if (families.empty() || (head_written && families.back().metric.empty())) return;
    std::ostringstream part;
    serializer.Serialize(part, families);
    const auto written = std::move(part).str();
    std::size_t from = 0;
    while (head_written && written.compare(from, 2, "# ") == 0) from = written.find('\n', from) + 1;
    text.append(written, from);
    families.back().metric.clear();
    head_written = true;
  }

  prometheus::ClientMetric& add(Labels labels, prometheus::ClientMetric metric) {
    if (families.back().metric.size() >= kSeriesInMemory) flush();
    set_labels(metric, labels);
    return families.back().metric.emplace_back(std::move(metric));
  }

  prometheus::TextSerializer serializer;
  std::vector<prometheus::MetricFamily> families;  ///< None, or the one that is being filled.
  bool head_written = false;
  std::string text;
};

Exposition::Exposition(std::size_t size_hint) : state_(std::make_unique<State>()) {
  state_->text.reserve(size_hint);
}

Exposition::~Exposition() = default;

void Exposition::counter(std::string_view name, std::string_view help) {
  state_->begin(name, help, prometheus::MetricType::Counter);
}

void Exposition::gauge(std::string_view name, std::string_view help) {
  state_->begin(name, help, prometheus::MetricType::Gauge);
}

void Exposition::histogram(std::string_view name, std::string_view help) {
  state_->begin(name, help, prometheus::MetricType::Histogram);
}

void Exposition::value(double value, Labels labels) {
  auto& metric = state_->add(labels, {});
  if (state_->families.back().type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void Exposition::distribution(const prometheus::Histogram& histogram, Labels labels) {
  state_->add(labels, histogram.Collect());
}

std::string Exposition::text() && {
  state_->flush();
  return std::move(state_->text);
}

}  // namespace skep::metrics
