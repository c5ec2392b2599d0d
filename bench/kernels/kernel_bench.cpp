// Times of single kernels: `kernel_bench [THREADS] [NAME]`. Rounds of all cases are interleaved and
// the least time of each is printed, because other work on the machine only ever adds.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "kernels/conv.h"

namespace lanthorn {
namespace {

struct Case {
  std::string name;
  double flops;
  std::function<void()> run;
  double best_us = 1e30;
};

FloatBuffer filled(size_t count, float scale) {
  FloatBuffer buffer(count);
  uint32_t state = 12345;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    buffer.data()[i] = static_cast<float>(static_cast<int32_t>(state)) / 2147483648.0f * scale;
  }
  return buffer;
}

void add_gemm(std::vector<Case>& cases, const KernelTable& table, Workers workers, size_t m,
              size_t k, size_t n) {
  const auto a = std::make_shared<FloatBuffer>(filled(m * k, 1));
  const auto c = std::make_shared<FloatBuffer>(filled(m * n, 1));
  const FloatBuffer source = filled(k * n, 1);
  const auto b = std::make_shared<PackedMatrix>(
      pack_matrix(table, workers, source.data(), k, n, n, 1));
  cases.push_back({"gemm " + std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n),
                   2.0 * static_cast<double>(m * k) * static_cast<double>(n), [=, &table] {
                     multiply(table, workers, a->data(), k, m, *b, c->data(), n, {});
                   }});
}

void add_conv(std::vector<Case>& cases, const KernelTable& table, Workers workers, size_t size,
              size_t in, size_t out, size_t kernel, size_t stride, size_t groups = 1) {
  ConvSizes s{.in_h = size, .in_w = size, .in_c = in, .out_c = out, .kernel_h = kernel,
              .kernel_w = kernel, .stride_h = stride, .stride_w = stride, .pad_top = kernel / 2,
              .pad_left = kernel / 2, .groups = groups};
  if (stride == kernel) s.pad_top = s.pad_left = 0;
  s.out_h = s.out_w = (size + 2 * s.pad_top - kernel) / stride + 1;
  const ConvAlgorithm algorithm = choose_conv(s);
  const auto weights = std::make_shared<FloatBuffer>(filled(out * s.group_in() * s.taps(), 0.1f));
  const auto x = std::make_shared<FloatBuffer>(filled(size * size * in, 1));
  const auto y = std::make_shared<FloatBuffer>(filled(s.pixels() * out, 1));
  const auto bias = std::make_shared<FloatBuffer>(filled(out, 1));
  const auto packed =
      std::make_shared<PackedConv>(pack_conv(table, workers, s, algorithm, weights->data()));
  const auto scratch =
      std::make_shared<FloatBuffer>(conv_scratch_floats(table, s, algorithm, workers.count()));
  cases.push_back({std::string(conv_algorithm_name(algorithm)) + " " + std::to_string(size) + " " +
                       std::to_string(in) + ">" + std::to_string(out) + " k" +
                       std::to_string(kernel) + "s" + std::to_string(stride) +
                       (groups > 1 ? " g" + std::to_string(groups) : ""),
                   2.0 * static_cast<double>(s.pixels() * s.taps() * s.group_in()) *
                       static_cast<double>(out),
                   [=, &table] {
                     (void)weights;
                     Epilogue e;
                     e.bias = bias->data();
                     e.activation = Activation::kRelu;
                     convolve_nhwc(table, workers, s, *packed, x->data(), y->data(), e, scratch->data());
                   }});
}

void add_all(std::vector<Case>& cases, const KernelTable& table, Workers w) {
  add_gemm(cases, table, w, 384, 768, 768);
  add_gemm(cases, table, w, 384, 3072, 768);
  add_gemm(cases, table, w, 197, 768, 768);
  add_gemm(cases, table, w, 8, 768, 768);
  add_gemm(cases, table, w, 1, 1024, 1024);
  add_gemm(cases, table, w, 1, 784, 256);
  add_gemm(cases, table, w, 1, 2048, 1000);
  add_conv(cases, table, w, 224, 3, 64, 7, 2);
  add_conv(cases, table, w, 224, 3, 32, 3, 2);
  add_conv(cases, table, w, 224, 3, 64, 3, 1);
  add_conv(cases, table, w, 56, 64, 64, 3, 1);
  add_conv(cases, table, w, 28, 128, 128, 3, 1);
  add_conv(cases, table, w, 14, 256, 256, 3, 1);
  add_conv(cases, table, w, 7, 512, 512, 3, 1);
  add_conv(cases, table, w, 56, 128, 128, 3, 2);
  add_conv(cases, table, w, 14, 512, 512, 3, 2);
  add_conv(cases, table, w, 56, 64, 256, 1, 1);
  add_conv(cases, table, w, 56, 256, 64, 1, 1);
  add_conv(cases, table, w, 14, 256, 1024, 1, 1);
  add_conv(cases, table, w, 14, 1024, 256, 1, 1);
  add_conv(cases, table, w, 7, 2048, 512, 1, 1);
  add_conv(cases, table, w, 56, 256, 512, 1, 2);
  add_conv(cases, table, w, 112, 32, 16, 1, 1);
  add_conv(cases, table, w, 56, 24, 144, 1, 1);
  add_conv(cases, table, w, 56, 144, 24, 1, 1);
  add_conv(cases, table, w, 112, 32, 32, 3, 1, 32);
  add_conv(cases, table, w, 56, 144, 144, 3, 1, 144);
  add_conv(cases, table, w, 112, 96, 96, 3, 2, 96);
  add_conv(cases, table, w, 14, 576, 576, 3, 1, 576);
  add_conv(cases, table, w, 7, 960, 960, 3, 1, 960);
  add_conv(cases, table, w, 56, 128, 128, 3, 1, 32);
}

}  // namespace
}  // namespace lanthorn

int main(int argc, char** argv) {
  using namespace lanthorn;
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const std::string filter = argc > 2 ? argv[2] : "";
  ThreadPool pool(threads);
  std::vector<Case> cases;
  const KernelTable& table = kernels(detect_isa());
  add_all(cases, table, {&pool, threads});
  for (int round = 0; round < 40; ++round) {
    for (Case& c : cases) {
      if (c.name.find(filter) == std::string::npos) continue;
      for (int i = 0; i < 3; ++i) {
        const auto start = std::chrono::steady_clock::now();
        c.run();
        const std::chrono::duration<double, std::micro> took =
            std::chrono::steady_clock::now() - start;
        if (took.count() < c.best_us) c.best_us = took.count();
      }
    }
  }
  std::printf("%s, %d threads\n", std::string(isa_name(table.level)).c_str(), threads);
  for (const Case& c : cases) {
    if (c.best_us > 1e29) continue;
    std::printf("%-36s %9.1f us %8.1f GFLOP/s\n", c.name.c_str(), c.best_us,
                c.flops / c.best_us * 1e-3);
  }
  return 0;
}
