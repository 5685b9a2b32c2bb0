#include "compose/go_sort.hpp"

#include <bit>
#include <cstdint>
#include <utility>

// Pattern-defeating quicksort (Orson Peters) with the thresholds and the pseudo-random numbers of
// Go 1.21 and later: they decide where equal elements end up.
namespace skep::compose {
namespace {

constexpr std::ptrdiff_t kInsertion = 12;      ///< Up to here insertion sort is all.
constexpr std::ptrdiff_t kNinther = 50;        ///< From here a pivot is a median of medians.
constexpr std::ptrdiff_t kWorthShifting = 50;  ///< From here a few misplaced ones are moved.
constexpr int kMisplaced = 5;
constexpr int kAllSwapped = 12;  ///< Comparisons of a median of medians.

}  // namespace

bool GoSort::less(Index a, Index b) const {
  return less_(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
}

void GoSort::swap(Index a, Index b) {
  if (a != b) swap_(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
}

void GoSort::run(std::size_t count) {
  quick(0, static_cast<Index>(count), static_cast<int>(std::bit_width(count)));
}

void GoSort::insertion(Index begin, Index end) {
  for (auto i = begin + 1; i < end; ++i) {
    for (auto j = i; j > begin && less(j, j - 1); --j) swap(j, j - 1);
  }
}

void GoSort::sift_down(Index low, Index high, Index first) {
  for (auto root = low; 2 * root + 1 < high;) {
    auto child = 2 * root + 1;
    if (child + 1 < high && less(first + child, first + child + 1)) ++child;
    if (!less(first + root, first + child)) return;
    swap(first + root, first + child);
    root = child;
  }
}

void GoSort::heap(Index begin, Index end) {
  const auto count = end - begin;
  for (auto i = (count - 1) / 2; i >= 0; --i) sift_down(i, count, begin);
  for (auto i = count - 1; i >= 0; --i) {
    swap(begin, begin + i);
    sift_down(0, i, begin);
  }
}

/// `limit` is how many bad pivots are borne before heap sort takes over.
void GoSort::quick(Index begin, Index end, int limit) {
  bool balanced = true;
  bool partitioned = true;
  while (end - begin > kInsertion) {
    if (limit == 0) return heap(begin, end);
    if (!balanced) {
      break_patterns(begin, end);
      --limit;
    }
    auto [pivot, hint] = choose_pivot(begin, end);
    if (hint == Hint::decreasing) {
      for (auto low = begin, high = end - 1; low < high;) swap(low++, high--);
      pivot = end - 1 - (pivot - begin);
      hint = Hint::increasing;
    }
    if (balanced && partitioned && hint == Hint::increasing && partial_insertion(begin, end)) {
      return;
    }
    // The element before is the pivot of an outer step: then many here equal it.
    if (begin > 0 && !less(begin - 1, pivot)) {
      begin = partition_equal(begin, end, pivot);
      continue;
    }
    const auto [middle, was_partitioned] = partition(begin, end, pivot);
    partitioned = was_partitioned;
    const auto left = middle - begin;
    const auto right = end - middle;
    const auto enough = (end - begin) / 8;
    if (left < right) {
      balanced = left >= enough;
      quick(begin, middle, limit);
      begin = middle + 1;
    } else {
      balanced = right >= enough;
      quick(middle + 1, end, limit);
      end = middle;
    }
  }
  insertion(begin, end);
}

void GoSort::break_patterns(Index begin, Index end) {
  const auto count = static_cast<std::uint64_t>(end - begin);
  const auto mask = (std::uint64_t{1} << std::bit_width(count)) - 1;
  auto random = count;
  const auto around = begin + (end - begin) / 4 * 2 - 1;
  for (int i = 0; i < 3; ++i) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    auto other = random & mask;
    if (other >= count) other -= count;
    swap(around + i, begin + static_cast<Index>(other));
  }
}

GoSort::Index GoSort::median(Index a, Index b, Index c, int& swaps) const {
  const auto order = [&](Index& first, Index& second) {
    if (!less(second, first)) return;
    std::swap(first, second);
    ++swaps;
  };
  order(a, b);
  order(b, c);
  order(a, b);
  return b;
}

GoSort::Pivot GoSort::choose_pivot(Index begin, Index end) const {
  int swaps = 0;
  const auto quarter = (end - begin) / 4;
  auto first = begin + quarter;
  auto second = begin + quarter * 2;
  auto third = begin + quarter * 3;
  if (end - begin >= kNinther) {
    first = median(first - 1, first, first + 1, swaps);
    second = median(second - 1, second, second + 1, swaps);
    third = median(third - 1, third, third + 1, swaps);
  }
  const auto at = median(first, second, third, swaps);
  if (swaps == 0) return {at, Hint::increasing};
  return {at, swaps == kAllSwapped ? Hint::decreasing : Hint::unknown};
}

/// Moves a few misplaced elements; whether all is in order then.
bool GoSort::partial_insertion(Index begin, Index end) {
  auto i = begin + 1;
  for (int moved = 0; moved < kMisplaced; ++moved) {
    while (i < end && !less(i, i - 1)) ++i;
    if (i == end) return true;
    if (end - begin < kWorthShifting) return false;
    swap(i, i - 1);
    for (auto j = i - 1; i - begin >= 2 && j >= 1 && less(j, j - 1); --j) swap(j, j - 1);
    for (auto j = i + 1; end - i >= 2 && j < end && less(j, j - 1); ++j) swap(j, j - 1);
  }
  return false;
}

/// The elements equal to the pivot go to the front; returns where the greater ones begin.
GoSort::Index GoSort::partition_equal(Index begin, Index end, Index pivot) {
  swap(begin, pivot);
  auto i = begin + 1;
  auto j = end - 1;
  while (true) {
    while (i <= j && !less(begin, i)) ++i;
    while (i <= j && less(begin, j)) --j;
    if (i > j) return i;
    swap(i++, j--);
  }
}

GoSort::Partition GoSort::partition(Index begin, Index end, Index pivot) {
  swap(begin, pivot);
  auto i = begin + 1;
  auto j = end - 1;
  bool was_partitioned = true;
  while (true) {
    while (i <= j && less(i, begin)) ++i;
    while (i <= j && !less(j, begin)) --j;
    if (i > j) break;
    swap(i++, j--);
    was_partitioned = false;
  }
  swap(j, begin);
  return {j, was_partitioned};
}

}  // namespace skep::compose
