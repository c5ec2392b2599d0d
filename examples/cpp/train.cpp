// A training loop that can be stopped at any time: train FOLDER [EPOCHS]
//
// Fits y = w x + b to points of the line y = 3 x - 1 by gradient descent with momentum. Every epoch is a checkpoint in FOLDER that
// PyTorch opens; started again, the program goes on from the last good one.
#include <cstdio>
#include <cstdlib>

#include <lanthorn/lanthorn.h>

namespace {

int fail(const lanthorn::Error& error) {
  std::fprintf(stderr, "train: %s\n", error.text().c_str());
  return 1;
}

struct Line {
  float w = 0, b = 0;                    // parameters 0 and 1
  float w_momentum = 0, b_momentum = 0;  // what SGD keeps for them
};

constexpr double kRate = 0.05, kMomentum = 0.9;

/// One pass over the points; the mean squared error before it.
double train(Line& line) {
  constexpr int kPoints = 16;
  double loss = 0, w_slope = 0, b_slope = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double x = i / 8.0 - 1, apart = line.w * x + line.b - (3 * x - 1);
    loss += apart * apart / kPoints;
    w_slope += 2 * apart * x / kPoints;
    b_slope += 2 * apart / kPoints;
  }
  line.w_momentum = static_cast<float>(kMomentum * line.w_momentum + w_slope);
  line.b_momentum = static_cast<float>(kMomentum * line.b_momentum + b_slope);
  line.w -= static_cast<float>(kRate * line.w_momentum);
  line.b -= static_cast<float>(kRate * line.b_momentum);
  return loss;
}

lanthorn::Result<lanthorn::Checkpoint> checkpoint_of(const Line& line, int64_t epoch, double loss) {
  using namespace lanthorn;
  Checkpoint made;
  made.epoch = epoch;
  made.loss = loss;
  LAN_OK(made.model.add("w", Tensor::scalar_f32(line.w)));
  LAN_OK(made.model.add("b", Tensor::scalar_f32(line.b)));
  LAN_TRY(made.optimizer, make_optimizer_state(OptimizerKind::kSGD, 2, {{"lr", kRate}, {"momentum", kMomentum}}));
  made.optimizer->of(0).set("momentum_buffer", Tensor::scalar_f32(line.w_momentum));
  made.optimizer->of(1).set("momentum_buffer", Tensor::scalar_f32(line.b_momentum));
  const PlainEntry config[] = {{"kind", std::string("line")}, {"inputs", int64_t{1}}};
  made.config = ObjectTree::dict_of(config);
  return made;
}

float number(const lanthorn::Tensor* tensor) { return tensor ? tensor->as<float>()[0] : 0; }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: train FOLDER [EPOCHS]\n");
    return 2;
  }
  const int64_t epochs = argc > 2 ? std::atoll(argv[2]) : 50;
  auto store = lanthorn::CheckpointStore::open(argv[1], {.keep_last = 3, .keep_best = 1});
  if (!store) return fail(store.error());
  auto last = store->resume();
  if (!last) return fail(last.error());

  Line line;
  int64_t epoch = 0;
  if (*last) {
    lanthorn::Checkpoint& from = **last;
    line = {number(from.model.find("w")), number(from.model.find("b")),
            number(from.optimizer->of(0).find("momentum_buffer")), number(from.optimizer->of(1).find("momentum_buffer"))};
    epoch = from.epoch.value_or(-1) + 1;
    std::printf("going on from epoch %lld\n", static_cast<long long>(epoch));
  }
  double loss = 0;
  for (; epoch < epochs; ++epoch) {
    loss = train(line);
    const auto checkpoint = checkpoint_of(line, epoch, loss);
    if (!checkpoint) return fail(checkpoint.error());
    // The file is written while the next epoch is computed.
    if (const auto begun = store->save_async(*checkpoint); !begun) return fail(begun.error());
  }
  if (const auto written = store->wait(); !written) return fail(written.error());
  std::printf("y = %.3f x %+.3f, loss %.2g\n", line.w, line.b, loss);
  return 0;
}
