#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "serve/http.h"
#include "serve/metrics.h"
#include "serve/served_model.h"

namespace lanthorn {

/// The paths that a server has. Safe from many threads; the models do not change.
class Router {
 public:
  explicit Router(std::vector<ServedModel> models);
  HttpAnswer answer(const HttpRequest& request) const;
  /// Whether answering is short work: all but running a model.
  bool is_quick(const HttpRequest& request) const;
  Metrics& metrics() const { return metrics_; }
  void set_draining() { draining_ = true; }

 private:
  HttpAnswer answer_predict(const HttpRequest& request) const;
  const ServedModel* find(std::string_view path) const;

  std::vector<ServedModel> models_;
  std::string openapi_;
  mutable Metrics metrics_;
  std::atomic<bool> draining_{false};
};

}  // namespace lanthorn
