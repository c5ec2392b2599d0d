// FAST: ml_tree_ensemble ml_tree_ensemble_classifier ml_tree_ensemble_regressor
// The references with trees that are read from the attributes once, not in every run.

#include "ops/ml_tree_ensemble_shared.h"

namespace lanthorn {
namespace {

bool applies(const KernelQuery&) { return true; }

Result<std::shared_ptr<const void>> prepare(const KernelQuery& query) {
  LAN_TRY(std::shared_ptr<const Trees> trees, trees_of(query.node));
  return std::shared_ptr<const void>(std::move(trees));
}

Status run(const RunContext& c) { return find_op(c.node().op, c.node().domain)->def->reference(c); }

constexpr FastKernel kKernels[] = {
    {.name = "tree_ensemble/prepared", .applies = applies, .prepare = prepare, .run = run}};

}  // namespace

extern constinit const std::span<const FastKernel> fast_ml_tree_ensemble = kKernels;
extern constinit const std::span<const FastKernel> fast_ml_tree_ensemble_classifier = kKernels;
extern constinit const std::span<const FastKernel> fast_ml_tree_ensemble_regressor = kKernels;

}  // namespace lanthorn
