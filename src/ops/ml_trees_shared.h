#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// The trees of TreeEnsemble and its older forms, ready to be walked.
struct Trees {
  enum class Mode : uint8_t {
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kEqual,
    kNotEqual,
    kMember,
    kLeaf
  };
  struct Node {
    Mode mode = Mode::kLeaf;
    bool missing_is_true = false;
    uint32_t yes = 0, no = 0;  // nodes; of kLeaf: the first vote and how many there are
    uint32_t feature = 0;
    double threshold = 0;
    uint32_t members = 0;  // of kMember: an index into `members`
  };
  struct Vote {
    uint32_t target = 0;
    double weight = 0;
  };
  enum class Aggregate : uint8_t { kAverage, kSum, kMin, kMax };

  std::vector<Node> nodes;
  std::vector<uint32_t> roots;
  std::vector<Vote> votes;
  std::vector<std::vector<double>> members;
  uint32_t features = 0;  // samples need so many
  size_t targets = 0;
  bool one_target = false;    // all votes are for the same target
  bool all_positive = false;  // no vote is negative
  Aggregate aggregate = Aggregate::kSum;
  std::vector<double> base;

  /// The leaf that a sample of at least `features` numbers comes to. kCorrupt where the nodes form
  /// a ring.
  Result<const Node*> leaf(uint32_t root, std::span<const double> sample) const;
  /// Adds up the votes for a sample; `voted` tells which targets got any. The base is not added.
  Status vote(std::span<const double> sample, std::span<double> scores,
              std::span<uint8_t> voted) const;
};

/// Reads the attributes of TreeEnsemble.
Result<std::shared_ptr<const Trees>> read_trees(const Attributes& attributes);
/// Reads those of TreeEnsembleClassifier (`votes` is "class") or TreeEnsembleRegressor ("target").
Result<std::shared_ptr<const Trees>> read_old_trees(const Attributes& attributes,
                                                    std::string_view votes, size_t targets);

}  // namespace lanthorn
