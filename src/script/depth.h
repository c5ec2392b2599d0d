#pragma once

#include "script/evaluator.h"

namespace lanthorn::script {

/// Counts nesting while it lives.
class Evaluator::Depth {
 public:
  explicit Depth(Evaluator& evaluator) : evaluator_(evaluator) { ++evaluator_.depth_; }
  ~Depth() { --evaluator_.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;
  bool too_deep() const { return evaluator_.depth_ > kMaxDepth; }

 private:
  Evaluator& evaluator_;
};

}  // namespace lanthorn::script
