#include "formats/scan/scan.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

ScanReport scan(std::string_view bytes, const ScanLimits& limits = {}) {
  return scan_file(MappedFile::of(as_bytes(bytes)), limits);
}

std::vector<std::string> named(const ScanReport& report) {
  std::vector<std::string> names;
  for (const ScanFinding& finding : report.findings) {
    if (finding.verdict != GlobalVerdict::kSafe)
      names.push_back(finding.member + "|" + finding.name);
  }
  return names;
}

/// A pickle of bytes, of protocol 3.
std::string pickle_of(std::string_view bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  return "\x80\x03"
         "B" +
         std::string(reinterpret_cast<const char*>(&size), 4) + std::string(bytes) + ".";
}

constexpr std::string_view kPayload =
    "\x80\x02"
    "cposix\nsystem\n(VA\ntR.";

TEST(scan, names_what_stands_before_a_break) {
  const ScanReport report = scan(
      "\x80\x02"
      "cposix\nsystem\n(VA\ntR\xff");
  EXPECT_EQ(named(report), std::vector<std::string>{"|posix.system"});
  ASSERT_TRUE(report.error.has_value());
  EXPECT_EQ(report.error->code, ErrorCode::kCorrupt);
}

TEST(scan, looks_into_pickles_in_pickles) {
  const ScanReport report = scan(pickle_of(pickle_of(kPayload)));
  ASSERT_EQ(named(report).size(), 1U);
  EXPECT_EQ(report.findings[0].member, "bytes at 2 › bytes at 2");
}

TEST(scan, nesting_has_an_end) {
  std::string bytes(kPayload);
  for (int i = 0; i < 20; ++i) bytes = pickle_of(bytes);
  const ScanReport report = scan(bytes);
  ASSERT_TRUE(report.error.has_value());
  EXPECT_EQ(report.error->code, ErrorCode::kLimit);
}

TEST(scan, looks_at_streams_behind_the_first) {
  const ScanReport report = scan("\x80\x02N." + std::string(kPayload));
  EXPECT_EQ(named(report), std::vector<std::string>{"|posix.system"});
  EXPECT_EQ(report.findings[0].offset, 6U);
}

TEST(scan, text_that_only_looks_like_opcodes_is_no_finding) {
  for (const std::string_view text :
       {"certifi\ncharset.normalizer\n", "cos and sin\nare functions.\n", "isympy\nsympy\n",
        "config for\nsee readme.\n", "(import os\nfoo\n"}) {
    const ScanReport report = scan(text);
    EXPECT_TRUE(named(report).empty()) << text;
    EXPECT_TRUE(report.error.has_value()) << text;
  }
}

TEST(scan, findings_have_a_limit) {
  std::string bytes = "\x80\x02";
  for (int i = 0; i < 100; ++i) bytes += "cposix\nsystem\n0";
  const ScanReport report = scan(bytes + "N.", {.max_findings = 10});
  EXPECT_EQ(report.findings.size(), 20U);
  EXPECT_EQ(report.notes.size(), 1U);
}

TEST(scan, formats_that_are_not_covered_are_named) {
  const ScanReport report = scan("\x89HDF\r\n\x1a\n" + std::string(100, 'x'));
  EXPECT_EQ(report.format, "hdf5");
  ASSERT_TRUE(report.error.has_value());
  EXPECT_EQ(report.error->code, ErrorCode::kUnsupported);
}

/// Zeros in gzip, as a bomb has them.
std::string gzip_of_zeros(size_t count) {
  std::string packed(count / 500 + 1000, '\0');
  const std::string zeros(count, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
  stream.avail_in = static_cast<uInt>(zeros.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

TEST(scan, memory_is_bounded_where_bytes_inflate) {
  const std::string bomb = gzip_of_zeros(8 << 20);
  const ScanReport report = scan(bomb, {.max_memory_bytes = 1 << 20});
  ASSERT_TRUE(report.error.has_value());
  EXPECT_EQ(report.error->code, ErrorCode::kLimit);
  EXPECT_FALSE(scan(bomb).error.has_value());
}

}  // namespace
}  // namespace lanthorn
