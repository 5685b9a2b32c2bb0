#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "engine/http.hpp"
#include "engine/options.hpp"

namespace skep::engine {

/// Oldest and newest version of the Engine API that skep knows; what is spoken is negotiated (rule
/// D1.1).
inline constexpr std::string_view kMinimumApi = "1.41";
inline constexpr std::string_view kNewestApi = "1.51";

/// One request to the Engine API.
struct ApiCall {
  std::string_view operation;  ///< For the metrics: "service_update".
  std::string method = "GET";
  std::string path;                       ///< Without the version: "/services?status=true".
  std::vector<std::string> headers = {};  ///< "Name: value".
  std::string_view body = {};             ///< JSON; must outlive the call.
};

/// The Engine API without its objects: versions, errors, metrics. Safe from several threads.
class Api {
 public:
  explicit Api(EngineOptions options);

  /// The answer of any status; errors are those of HttpClient and of the negotiation.
  Result<HttpResponse> ask(const ApiCall& call, std::stop_token stop);
  /// The body of a good answer; every other one is an error by `api_error`.
  Result<std::string> call(const ApiCall& call, std::stop_token stop);
  /// At the same time; the first error, else the bodies in the order of the calls.
  Result<std::vector<std::string>> call_all(const std::vector<ApiCall>& calls,
                                            std::stop_token stop);
  /// Gives a good answer's body piece by piece, for as long as it lasts. Returns at its end.
  Result<void> stream(const ApiCall& call,
                      const std::function<void()>& on_open,
                      const std::function<void(std::string_view)>& on_data,
                      std::stop_token stop);

  /// "1.41": what both sides speak. Errors: invalid_input where the engine is too old.
  Result<std::string> version(std::stop_token stop);

  [[nodiscard]] const EngineOptions& options() const noexcept { return options_; }

 private:
  Result<std::string> negotiate(std::stop_token stop);
  HttpRequest request_of(const ApiCall& call, const std::string& version) const;
  void report(const ApiCall& call,
              const Result<HttpResponse>& answer,
              std::chrono::nanoseconds duration);

  EngineOptions options_;
  HttpClient http_;
  std::mutex mutex_;
  std::string version_;  ///< "" until negotiated.
};

/// An answer of 300 or more as an error: the engine's own words, and the kind that its status and
/// words mean (port contract in reconciler/ports/engine.hpp).
[[nodiscard]] Error api_error(const ApiCall& call, const HttpResponse& response);

/// The smaller of two API versions like "1.41".
[[nodiscard]] std::string older_version(const std::string& left, const std::string& right);

}  // namespace skep::engine
